"""Processes that a test may have left running, found by what they speak of."""

from pathlib import Path

import psutil


def processes_about(folder: Path) -> list[str]:
    """Return the processes that run and name `folder` in their command or environment."""
    return [repr(one) for one in psutil.process_iter() if _speaks_of(one, str(folder))]


def _speaks_of(process: psutil.Process, name: str) -> bool:
    try:
        words = [*process.cmdline(), *process.environ().values()]
        return process.status() != psutil.STATUS_ZOMBIE and any(name in word for word in words)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
