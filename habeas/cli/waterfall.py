"""The timeline of a request as a waterfall: one row per fact, with a bar for the time it took to come about."""

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from habeas.cli.output import Row, grid
from habeas.client import TimelineEntry

WIDTH = 24


def waterfall(entries: Sequence[TimelineEntry]) -> Table:
    """Return the table. A bar runs from the previous fact of the same task (or of the request) to this one."""
    if not entries:
        return grid("AFTER", rows=[])
    start, end = entries[0].at, max(entry.at for entry in entries)
    before: dict[str | None, datetime] = {}
    rows: list[Row] = []
    for entry in entries:
        begun = before.get(entry.task, before.get(None, start))
        before[entry.task] = entry.at
        rows.append(
            [
                offset(entry.at, start),
                Text(bar(begun, entry.at, start, end), style="cyan" if entry.task else "magenta"),
                entry.type,
                entry.processor or "-",
                details(entry),
            ]
        )
    return grid("AFTER", "WHEN", "WHAT", "PROCESSOR", "DETAIL", rows=rows)


def bar(begun: datetime, ended: datetime, start: datetime, end: datetime) -> str:
    """Return the stretch from `begun` to `ended` drawn on a line of `WIDTH` characters from `start` to `end`."""
    whole = (end - start).total_seconds() or 1.0
    first, last = (
        min(WIDTH - 1, max(0, int((moment - start).total_seconds() / whole * WIDTH))) for moment in (begun, ended)
    )
    return "·" * first + "━" * (last - first) + "●" + "·" * (WIDTH - 1 - last)


def offset(moment: datetime, start: datetime) -> str:
    """Return how long after `start` it was, in the unit that fits."""
    seconds = (moment - start).total_seconds()
    if seconds < 60:
        return f"+{seconds:.3f} s"
    if seconds < 3600:
        return f"+{seconds / 60:.1f} min"
    return f"+{seconds / 3600:.1f} h" if seconds < 86_400 else f"+{seconds / 86_400:.1f} d"


def details(entry: TimelineEntry) -> str:
    """Return what a fact adds, as `name=value`; what is nested is left to `--json`."""
    plain = {name: value for name, value in entry.detail.items() if isinstance(value, str | int | float)}
    if entry.actor:
        plain["by"] = entry.actor
    return " ".join(f"{name}={value}" for name, value in sorted(plain.items())) or "-"
