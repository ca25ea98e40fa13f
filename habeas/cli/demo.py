"""`habeas demo`: starts everything on this machine, tells its story, checks it, and leaves nothing running."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from habeas.cli import demo_story
from habeas.cli.output import console
from habeas.cli.sandbox import Sandbox
from habeas.client import Habeas

NEXT = """What to try next:
  habeas up                     leaves all of this running, with its API reference in the browser
  habeas requests --help        file requests of your own, and follow them
  habeas processors list        what is wired in; `habeas processors --help` tells how to add one
  habeas down                   stops it again"""


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with logs and ledgers, and say where.")] = False,
) -> None:
    """Show one erasure from beginning to end, on this machine: it starts everything, and stops it again.

    It ends with 0 only if the vendors' own books say that it went right.
    """
    out = console()
    home = Path(tempfile.mkdtemp(prefix="habeas-demo-"))
    failed = True
    try:
        failed = not _run(home, out)
    except KeyboardInterrupt:
        failed = False  # whoever stops it does not look for the reason
        raise
    finally:
        if failed or keep:
            out.print(f"Logs and ledgers are in {home}", markup=False)
        else:
            shutil.rmtree(home, ignore_errors=True)
    if failed:
        raise typer.Exit(1)


def _run(home: Path, out: Console) -> bool:
    from habeas.local.places import HOME_MODE
    from habeas.local.stack import Stack

    home.chmod(HOME_MODE)  # a server that gave up root must reach its data below
    with (
        Stack(home, say=lambda line: out.print(line, style="dim", markup=False)) as stack,
        Habeas(stack.url, key=stack.key) as habeas,
        Sandbox(stack.sandbox_url) as sandbox,
    ):
        checks = demo_story.tell(habeas, sandbox, out)
        out.print()
        passed = all(check.passed for check in checks)
        out.print(_verdict(passed=passed))
        out.print("Stopping everything that was started ...", style="dim")
    if passed:
        out.print(f"\n{NEXT}", markup=False)
    return passed


def _verdict(*, passed: bool) -> Text:
    return Text("All of it is so.", style="bold green") if passed else Text("Not all of it is so.", style="bold red")
