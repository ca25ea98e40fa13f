"""However a stack's owner ends, with Ctrl-C or a kill, in a terminal or out of it, nothing of the stack is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from habeas.local.home import Home
from habeas.local.waiting import wait_until
from tests.integration.habeas.local.test_stack import DETACHED

pytestmark = pytest.mark.slow
LeftBehind = Callable[[], list[str]]

# Brings a stack up with the stand-ins of argv[2], says so and waits.
OWNER = """
import signal
import sys
from pathlib import Path
from habeas.local import places
places.import_root = lambda: Path(sys.argv[2])
from habeas.local.stack import Stack
# A run in the background, or under nohup, hands these on as ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
with Stack(Path(sys.argv[1]), say=lambda line: print(line, flush=True)):
    print("up", flush=True)
    signal.pause()
"""


# Has a stack go on without a terminal, as `habeas up` does, and tells of it meanwhile.
STARTER = """
import signal
import sys
from pathlib import Path
from habeas.local import detached
signal.signal(signal.SIGINT, signal.default_int_handler)
detached.PROGRAM = [sys.executable, "-c", sys.argv[3], sys.argv[2]]
print("begun", flush=True)
detached.up(Path(sys.argv[1]), say=lambda line: print(line, flush=True))
print("up", flush=True)
"""


@contextmanager
def running(program: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a process group of its own, as a terminal does."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


def await_line(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith(beginning))


def nothing_is_left(home: Path, left_behind: LeftBehind) -> bool:
    return wait_until(lambda: left_behind() == [] and not Home(home).is_locked(), seconds=30)


@pytest.mark.parametrize(
    ("ends", "after"),
    [
        ([signal.SIGKILL], "sandbox"),
        ([signal.SIGINT], "PostgreSQL"),
        ([signal.SIGKILL], "up"),
        ([signal.SIGINT], "up"),
        ([signal.SIGINT, signal.SIGINT], "sandbox"),
    ],
)
def test_an_end_at_any_time_leaves_nothing_behind(
    stand_ins: Path, home: Path, left_behind: LeftBehind, ends: Sequence[signal.Signals], after: str
) -> None:
    with running(OWNER, home, stand_ins) as owner:
        await_line(owner, after)
        for end in ends:
            os.killpg(owner.pid, end)  # as Ctrl-C does: whoever is in the foreground gets it
    assert nothing_is_left(home, left_behind)


@pytest.mark.parametrize("after", ["begun", "PostgreSQL"])
def test_an_interrupted_up_leaves_nothing_behind(
    stand_ins: Path, home: Path, left_behind: LeftBehind, after: str
) -> None:
    with running(STARTER, home, stand_ins, DETACHED) as starter:
        await_line(starter, after)
        os.killpg(starter.pid, signal.SIGINT)
        assert starter.stdout is not None
        assert "up\n" not in starter.stdout.readlines()
    assert nothing_is_left(home, left_behind)
