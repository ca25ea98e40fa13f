"""A program that outlives a stack's owner by a moment, to end the processes that the owner left behind.

It imports nothing of habeas and starts with `python -I -S`, so that it costs little. The owner holds the other end of
its standard input and writes `+ <pid> <signal>` for a process group to watch and `- <pid>` to forget it. When the owner
ends, however it ends, the kernel closes that pipe. A fork of the owner may hold it open for longer, hence the look at
the parent's id as well.
"""

import os
import select
import signal
import sys
import time

LOOK_AT_PARENT_EVERY = 0.5  # seconds
GRACE = 5.0  # seconds between a polite signal and SIGKILL


def main(owner: int) -> None:
    """Watch for the owner's end, then end what it left."""
    # A terminal or an init system signals everybody; the guardian's turn comes when the owner has gone.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end_all(watch(owner))


def watch(owner: int) -> dict[int, int]:
    """Read orders until the owner is gone; give the process groups still watched, each with its stop signal."""
    watched: dict[int, int] = {}
    unread = b""
    while True:
        owner_is_gone = os.getppid() != owner  # asked first: what it wrote before it went is all in the pipe
        readable, _, _ = select.select([0], [], [], 0 if owner_is_gone else LOOK_AT_PARENT_EVERY)
        chunk = os.read(0, 65536) if readable else b""
        if not chunk and (readable or owner_is_gone):
            return watched
        *orders, unread = (unread + chunk).split(b"\n")
        for order in orders:
            obey(order, watched)


def obey(order: bytes, watched: dict[int, int]) -> None:
    """Add a process group to those watched, or take it out."""
    sign, pid, *stop_signal = order.split()
    if sign == b"+":
        watched[int(pid)] = int(stop_signal[0])
    else:
        watched.pop(int(pid), None)


def end_all(watched: dict[int, int]) -> None:
    """Ask every process group to stop, and kill those that have not after the grace."""
    left = {pid for pid, stop_signal in watched.items() if signalled(pid, stop_signal)}
    end = time.monotonic() + GRACE
    while left and time.monotonic() < end:
        time.sleep(0.02)
        left = {pid for pid in left if signalled(pid, 0)}
    for pid in left:
        signalled(pid, signal.SIGKILL)


def signalled(pid: int, number: int) -> bool:
    """Send a signal to a process group; say whether there was anybody to get it."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return False
    return not is_zombie(pid)


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits for its parent to look; the init of a container may be slow to."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (pathlib would double the start-up time)
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:  # not Linux, or gone meanwhile; the next signal will tell
        return False


if __name__ == "__main__":
    main(int(sys.argv[1]))
