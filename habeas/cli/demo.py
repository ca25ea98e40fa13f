"""`habeas demo`: starts everything on this machine, tells its story, checks it, and leaves nothing running."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from habeas.cli import demo_story, fixed_ports
from habeas.cli.demo_evidence import Check
from habeas.cli.fixed_ports import ApiPort, KafkaPort, PostgresPort, SandboxPort
from habeas.cli.output import console, print_json
from habeas.cli.sandbox import Sandbox
from habeas.client import Habeas

NEXT = """What to try next:
  habeas up                     leaves all of this running, with its API reference in the browser
  habeas requests --help        file requests of your own, and follow them
  habeas processors list        what is wired in; `habeas processors --help` tells how to add one
  habeas down                   stops it again"""


def demo(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verdict as JSON; the story goes to standard error.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with logs and ledgers, and say where.")] = False,
    port: ApiPort = None,
    kafka_port: KafkaPort = None,
    postgres_port: PostgresPort = None,
    sandbox_port: SandboxPort = None,
) -> None:
    """Show an access, a rectification and an erasure from beginning to end: start everything here, and stop it again.

    It ends with 0 only if the vendors' own books say that it went right.
    """
    out = console(stderr=as_json)
    wanted = fixed_ports.asked(port, kafka_port, postgres_port, sandbox_port)
    with _killed_as_interrupted(), _home(out, keep=keep) as home:
        fixed_ports.fix(home, wanted)
        checks = _run(home, out)
        passed = all(check.passed for check in checks)
        if as_json:
            print_json({"passed": passed, "checks": [asdict(check) for check in checks]})
        elif passed:
            out.print(f"\n{NEXT}", markup=False)
        if not passed:
            raise typer.Exit(1)


@contextmanager
def _home(out: Console, *, keep: bool) -> Iterator[Path]:
    """Give a folder for everything, which stays only when somebody will look for a reason in it."""
    home = Path(tempfile.mkdtemp(prefix="habeas-demo-"))
    wanted = keep
    try:
        yield home
    except Exception:
        wanted = True
        raise
    finally:
        if wanted:
            out.print(f"Logs and ledgers are in {home}", markup=False)
        else:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _killed_as_interrupted() -> Iterator[None]:
    """Tidy up after `kill` as after Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(home: Path, out: Console) -> list[Check]:
    from habeas.local.places import HOME_MODE
    from habeas.local.stack import Stack

    out.print("Starting PostgreSQL, Kafka, the services and a sandbox of four vendors (longest the first time) ...")
    home.chmod(HOME_MODE)  # a server that gave up root must reach its data below
    with (
        Stack(home, say=lambda line: out.print(line, style="dim", markup=False)) as stack,
        Habeas(stack.url, key=stack.key) as habeas,
        Sandbox(stack.sandbox_url) as sandbox,
    ):
        checks = demo_story.tell(habeas, sandbox, out)
        out.print()
        out.print(_verdict(passed=all(check.passed for check in checks)))
        out.print("Stopping everything that was started ...", style="dim")
    return checks


def _verdict(*, passed: bool) -> Text:
    return Text("All of it is so.", style="bold green") if passed else Text("Not all of it is so.", style="bold red")
