"""A stack that goes on without a terminal: `up` starts it, `down` stops it, from any process.

Run as a program, this module is that stack. It tells its starter of its progress on standard output, line by line, the
first one being its process id, the last one `up` or one that begins with `error `, and closes it then.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from habeas.local import state
from habeas.local.errors import LocalStackError
from habeas.local.home import Home
from habeas.local.places import open_log
from habeas.local.stack import Say, Stack, quietly
from habeas.local.state import StackState
from habeas.local.waiting import wait_until

PROGRAM = [sys.executable, "-m", "habeas.local.detached"]
UP = "up"
ERROR = "error "
DOWN_WITHIN = 40.0  # seconds for a stack to stop in good order; then its owner is killed
LOOK_EVERY = 1.0  # seconds between two looks at the children


def up(home: Path | None = None, *, say: Say = quietly) -> StackState:
    """Start a stack that outlives the caller, wait until it is up, and give what it wrote down.

    If one runs on the home already, give that. Raises LocalStackError as `Stack` does.
    """
    place = Home(home)
    running = status(home)
    if running is not None and running.phase == "up":
        return running
    with (
        open_log(place.log("stack")) as log,
        subprocess.Popen(
            [*PROGRAM, place.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        if process.stdout is None:
            raise LocalStackError("The stack has no output to follow.")
        _follow(process.stdout, say, place, group=process.pid)
    found = state.read(place.state)
    if found is None:
        problem = f"The stack ended at once; the reason is at the end of {place.log('stack')}."
        raise LocalStackError(problem)
    return found


def down(home: Path | None = None) -> bool:
    """Stop the stack of the home, wait until nothing of it runs, and say whether there was one.

    Raises LocalStackError if something of it still runs after a minute.
    """
    place = Home(home)
    running = status(home)
    if running is None:
        return False
    owner = running.owner
    os.kill(owner.pid, signal.SIGTERM)
    if not wait_until(lambda: not owner.running and not place.is_locked(), seconds=DOWN_WITHIN):
        if owner.running:
            os.kill(owner.pid, signal.SIGKILL)  # its guardian ends the rest
        if not wait_until(lambda: not place.is_locked(), seconds=DOWN_WITHIN / 2):
            problem = f"Something of the stack in {place.path} does not end; see the processes in {place.state}."
            raise LocalStackError(problem)
    place.state.unlink(missing_ok=True)
    return True


def status(home: Path | None = None) -> StackState | None:
    """What the stack of the home wrote down, or None if none runs. Each process knows whether it still runs."""
    found = state.read(Home(home).state)
    return found if found is not None and found.running else None


def _follow(told: Iterator[str], say: Say, place: Home, *, group: int) -> None:
    """Pass on what the new stack tells until it is up, and end its process `group` where this is interrupted.

    Raises LocalStackError with what it could not do.
    """
    try:
        lines = map(str.rstrip, told)
        next(lines, None)  # its process id
        for line in lines:
            if line == UP:
                return
            if line.startswith(ERROR):
                raise LocalStackError(line.removeprefix(ERROR))
            say(line)
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)  # it may not have told its process id yet
        wait_until(lambda: not place.is_locked(), seconds=DOWN_WITHIN)
        raise
    problem = f"The stack ended before it was up; the reason is at the end of {place.log('stack')}."
    raise LocalStackError(problem)


def _leave_starter() -> None:
    """Go on as a process that nobody waits for, and tell its id."""
    if os.fork() > 0:
        os._exit(0)
    print(os.getpid(), flush=True)


def main(home: Path) -> int:
    """Be the stack until SIGTERM; give the exit code."""
    _leave_starter()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack: Stack | None = None
    try:
        stack = Stack(home, say=_tell)
        stack.start()
        _tell(UP)
        _let_go_of_output()
        _watch(stack)
    except LocalStackError as error:
        _tell(f"{ERROR}{error}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        if stack is not None:
            stack.stop()


def _tell(line: str) -> None:
    try:
        print(line, flush=True)
    except BrokenPipeError:  # whoever started us did not wait
        _let_go_of_output()


def _let_go_of_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _watch(stack: Stack) -> NoReturn:
    """Note in the log which parts end by themselves, until a signal ends the watch."""
    gone: set[str] = set()
    while True:
        for name, service in stack.services.items():
            if service.pid is None and name not in gone:
                gone.add(name)
                print(f"{name} ended with {service.exit_code}; see {service.log}", file=sys.stderr, flush=True)
        wait_until(lambda: False, seconds=LOOK_EVERY)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
