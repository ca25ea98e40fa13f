"""What processes cost: CPU seconds of whole families, also of members that ended meanwhile, and resident memory."""

from collections.abc import Mapping

import psutil

MIB = 1024 * 1024


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds, user and system, that a process, its living descendants and the dead ones have used."""
    return sum(_own(process) for process in _family(pid))


def resident_mib(pid: int) -> float:
    """Return the resident memory of one process in MiB, its descendants left out."""
    return float(psutil.Process(pid).memory_info().rss) / MIB


def family_mib(pid: int) -> float:
    """Return the memory that a process and its descendants hold together in MiB (Linux: shared pages counted once)."""
    total = 0
    for process in _family(pid):
        try:
            full = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        total += getattr(full, "pss", full.rss)
    return total / MIB


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return by name what was used between two readings."""
    return {name: after[name] - used for name, used in before.items()}


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _own(process: psutil.Process) -> float:
    """Return the time of a process and of the children that it has seen the end of."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # it ended just now: its parent's time has it
    return float(times.user + times.system + times.children_user + times.children_system)
