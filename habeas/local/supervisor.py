"""Starts processes that never outlive the process that started them, and stops them one by one or all."""

import atexit
import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from habeas.local import guardian
from habeas.local.child import STOP_WITHIN, Child
from habeas.local.errors import LocalStackError
from habeas.local.places import open_log
from habeas.local.waiting import wait_until

RUN_WITHIN = 300.0  # seconds for a command that ends by itself; a first download is one

# The child waits here until the guardian knows its pid. If we die before, `read` meets the end of the pipe and the
# child ends without having been anything. PR_SET_PDEATHSIG would be no substitute: it fires when the *thread* that
# forked ends, is lost when credentials change, and exists on Linux only.
GATE = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")


class Supervisor:
    """Owner of processes; with it they end, however it ends. Safe to use from several threads."""

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        """Own nothing yet; the guardian starts with the first child.

        `keep_open`: file descriptors, such as of a lock, that stay open until the last child is gone.
        """
        self._lock = threading.RLock()
        self._children: list[Child] = []
        self._guardian: subprocess.Popen[bytes] | None = None
        self._keep_open = tuple(keep_open)
        self._closed = False

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        answer: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
    ) -> Child:
        """Start `command`, as the numeric `user` (and group) if one is given.

        What it prints is appended to `log` (0600); what it prints on standard output, to `answer` if one is given.
        Raises LocalStackError if the supervisor is closed.
        """
        with self._lock:
            if self._closed:
                raise LocalStackError("The local stack is being stopped.")
            with open_log(log) as output, open_log(answer or log) as answers:
                process = subprocess.Popen(
                    [*GATE, *map(str, command)],
                    stdin=subprocess.PIPE,
                    stdout=answers,
                    stderr=output,
                    env=env,
                    cwd=cwd,
                    start_new_session=True,
                    user=user,
                    group=user,
                    extra_groups=[] if user is not None else None,
                )
            child = Child(name, process, stop_signal, self._forget)
            self._children.append(child)
            self._order(f"+ {child.pid} {int(stop_signal)}")
        _write(process, "go")  # if it is dead already, the caller sees it in `running`
        if process.stdin is not None:
            process.stdin.close()
        return child

    def run(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        answer: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: int | None = None,
    ) -> bool:
        """Run `command` to its end and say whether it went well; it is killed if that takes longer than RUN_WITHIN."""
        child = self.start(name, command, log=log, answer=answer, env=env, cwd=cwd, user=user)
        try:
            return wait_until(lambda: not child.running, seconds=RUN_WITHIN) and child.exit_code == 0
        finally:
            child.kill()

    @property
    def children(self) -> list[Child]:
        """The processes that run, in the order of their start."""
        with self._lock:
            return [child for child in list(self._children) if child.running]

    def close(self) -> None:
        """Stop every child at once, wait for them, let the guardian go, and start nothing any more."""
        with self._lock:
            self._closed = True
        children = self.children[::-1]
        for child in children:
            child.ask_to_stop()
        wait_until(lambda: not any(child.running for child in children), seconds=STOP_WITHIN)
        for child in children:
            child.kill()
        with self._lock:
            guard, self._guardian = self._guardian, None
        if guard is not None and guard.stdin is not None:
            guard.stdin.close()
            guard.wait()

    def _forget(self, child: Child) -> None:
        """Stop watching a process that ended: its pid may be used again, by somebody else."""
        with self._lock:
            if child in self._children:
                self._children.remove(child)
                self._order(f"- {child.pid}")

    def _order(self, line: str) -> None:
        """Tell the guardian, or, if somebody killed it, tell a new one about every child."""
        if self._guardian is None or not _write(self._guardian, line):
            self._guardian = _start_guardian(self._keep_open)
            for child in self._children:
                _write(self._guardian, f"+ {child.pid} {int(child.stop_signal)}")


@functools.cache
def _of_process(pid: int) -> Supervisor:
    own = Supervisor()
    atexit.register(lambda: own.close() if os.getpid() == pid else None)
    return own


def of_this_process() -> Supervisor:
    """The supervisor that servers of this process share unless they are given one. A fork gets its own."""
    return _of_process(os.getpid())


def _start_guardian(keep_open: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        pass_fds=keep_open,
        start_new_session=True,  # out of reach of Ctrl-C and of a kill of our group
    )


def _write(process: subprocess.Popen[bytes], line: str) -> bool:
    """Write a line to the standard input of a process; False if it no longer reads."""
    if process.stdin is None or process.stdin.closed:
        return False
    try:
        os.write(process.stdin.fileno(), f"{line}\n".encode())
    except BrokenPipeError:
        return False
    return True
