"""Loopback ports for servers, held so that stacks side by side do not take each other's."""

import errno
import fcntl
import itertools
import os
import secrets
import socket
from pathlib import Path

import psutil

from habeas.local import places
from habeas.local.errors import LocalStackError
from habeas.local.waiting import wait_until

LOOPBACK = "127.0.0.1"
# Below the range that Linux (32768 and up), macOS and the BSDs (49152 and up) give to outgoing connections: a port of
# that range may be gone when a killed server starts again.
CHOICE = range(20_000, 24_000)
PATIENCE = 12.0  # seconds for what is ending to let go of a port; longer than the guardian's grace


class PortLease:
    """Ports that this process holds until it ends or releases them. A lease is a lock on a file, not a bound socket."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep the lock files in `folder`, by default one that all stacks of this user share."""
        self._folder = folder or places.cache_folder() / "ports"
        self._held: dict[int, int] = {}

    def take(self, port: int = 0, *, purpose: str = "a server", instead: str = "choose another") -> int:
        """Hold `port`, or with 0 any free one, and give its number; `instead` says what else the reader can do.

        Raises LocalStackError if the port is held by another stack or listened on, and stays so for PATIENCE seconds.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if port == 0:
            return self._take_any()
        if port in self._held:
            return port
        if not wait_until(lambda: self._try(port), seconds=PATIENCE):
            problem = f"Port {port}, wanted for {purpose}, is taken by {holder(port)}; stop that or {instead}."
            raise LocalStackError(problem)
        return port

    def release(self) -> None:
        """Let go of every port."""
        while self._held:
            _, descriptor = self._held.popitem()
            os.close(descriptor)

    def _take_any(self) -> int:
        start = secrets.randbelow(len(CHOICE))
        for port in itertools.chain(CHOICE[start:], CHOICE[:start]):
            if self._try(port):
                return port
        problem = f"No port from {CHOICE[0]} to {CHOICE[-1]} is free; stop some other stacks."
        raise LocalStackError(problem)

    def _try(self, port: int) -> bool:
        descriptor = os.open(self._folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if not is_free(port):
            os.close(descriptor)
            return False
        self._held[port] = descriptor
        return True


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do; ignores connections winding down
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return not is_answered(port)  # macOS lets us bind beside a listener on all addresses


def is_answered(port: int) -> bool:
    """Whether something accepts connections on the loopback `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def holder(port: int) -> str:
    """Who listens on `port`, in words; the operating system does not tell everybody."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return "another process"
