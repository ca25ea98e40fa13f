"""A process that somebody started: whether it runs, and its end, polite or not."""

import signal
import subprocess
from collections.abc import Callable

import psutil

from habeas.local.waiting import wait_until

STOP_WITHIN = 15.0  # seconds between a polite signal and SIGKILL


class Child:
    """A process of the stack, leader of a process group and session of its own."""

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        stop_signal: signal.Signals,
        ended: Callable[["Child"], None],
    ) -> None:
        """Take a process just started; `ended` is called as soon as its end is seen, perhaps more than once."""
        self.name = name
        self.pid = process.pid
        self.stop_signal = stop_signal
        self._process = process
        self._ended = ended

    @property
    def exit_code(self) -> int | None:
        """None while it runs; else what it ended with, `-n` for signal n."""
        code = self._process.poll()
        if code is not None:
            self._ended(self)
        return code

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self.exit_code is None

    def ask_to_stop(self) -> None:
        """Send the polite signal and do not wait."""
        if self.running:
            self._process.send_signal(self.stop_signal)

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Send the polite signal, wait `within` seconds, then kill what is left."""
        self.ask_to_stop()
        if not wait_until(lambda: not self.running, seconds=within):
            self.kill()

    def kill(self) -> None:
        """SIGKILL the process and everything that descends from it, and wait until all of it is gone.

        Descendants count even in other process groups: a PostgreSQL backend has a session of its own and would
        live on for a moment, holding the shared memory that a restart needs.
        """
        if not self.running:
            return
        process = psutil.Process(self.pid)
        try:
            process.suspend()  # so that it starts no further children while we look
            family = process.children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        self._process.kill()
        for relative in family:
            try:
                relative.kill()
            except psutil.NoSuchProcess:
                continue
        wait_until(lambda: not self.running and not any(map(_is_alive, family)), seconds=STOP_WITHIN)


def _is_alive(process: psutil.Process) -> bool:
    """Whether the process still does anything; a zombie only waits for a parent that may be slow to look."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
