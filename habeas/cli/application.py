"""All commands in one tree, and what happens when one of them fails."""

import os
import sys
from collections.abc import Sequence

import typer

from habeas.cli import consumers, dead_letters, demo, processors, requests, run, stack, tasks
from habeas.cli.mistakes import Mistake, one_line
from habeas.client import HabeasError, HabeasProblem
from habeas.local.errors import LocalStackError

app = typer.Typer(
    name="habeas",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, and those may hold a person
    help="Fulfil data subject requests across every system that holds a person's data.",
    epilog="Start here:  habeas demo  shows it all on this machine;  habeas up  leaves it running.",
)
app.add_typer(requests.app, name="requests")
app.add_typer(tasks.app, name="tasks")
app.add_typer(processors.app, name="processors")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(consumers.app, name="consumers")
app.command("demo", epilog="Example:  habeas demo")(demo.demo)
app.command("up", epilog="Example:  habeas up --port 8080")(stack.up)
app.command("down", epilog="Example:  habeas down")(stack.down)
app.command("status", epilog="Example:  habeas status --json")(stack.status)
app.command("logs", epilog="Example:  habeas logs connectors --follow")(stack.logs)
app.command(
    "run",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example:  habeas run orchestrator migrate",
)(run.run)


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        code = app(args=arguments, prog_name="habeas", standalone_mode=False)
    except (Mistake, HabeasError, LocalStackError) as error:
        return _fail(one_line(error) if isinstance(error, HabeasProblem) else str(error))
    except ModuleNotFoundError as error:
        if error.name != "psutil":
            raise
        return _fail("the local stack needs more packages: pip install 'habeas[local,server,s3,sandbox]'")
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`). Nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        # The parser's own errors: their class has moved between versions, what they can do has not.
        if not hasattr(error, "format_message"):
            raise
        return _fail(error.format_message(), code=getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0


def _fail(message: str, *, code: int = 1) -> int:
    if message:  # a group of commands called without one has printed its help instead
        print(f"habeas: {' '.join(message.split())}", file=sys.stderr)
    return code
