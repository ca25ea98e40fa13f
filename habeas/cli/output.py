"""What commands print: tables and sentences for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from habeas.client import Attention, Outcome

# A pipe or a file has no width: lines are never broken there, so that each row stays one line.
UNBROKEN = 10_000

Row = Sequence[str | Text]

STYLES = {
    "fulfilled": "green",
    "completed": "green",
    "settled": "green",
    "verified": "green",
    "fulfilled_with_retention": "yellow",
    "partly_fulfilled": "yellow",
    "retrying": "yellow",
    "waiting_external": "yellow",
    "refused": "red",
    "not_fulfilled": "red",
    "failed": "red",
    "lapsed": "red",
    "halted": "red",
    "dead": "red",
    "cancelled": "dim",
    "retired": "dim",
    "waiting": "dim",
    "working": "cyan",
    "in_progress": "cyan",
    "dispatched": "cyan",
    "accepted": "cyan",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console on the stream as it is now; plain when it is no terminal, or when NO_COLOR is set."""
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream, width=None if terminal else UNBROKEN, highlight=False, emoji=False, force_terminal=terminal
    )


class Output:
    """Prints a command's answer in the form that was asked for."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = console()

    def many(self, items: Sequence[BaseModel], table: Table, *, nothing: str) -> None:
        """Print a list: `table` for people, or the sentence `nothing` when it is empty; an array for programs."""
        if self.as_json:
            print_json([item.model_dump(mode="json") for item in items])
        elif items:
            self.console.print(table)
        else:
            self.console.print(nothing, markup=False)

    def one(self, item: BaseModel | dict[str, Any], *shown: RenderableType) -> None:
        """Print one thing: `shown` for people, an object for programs."""
        if self.as_json:
            print_json(item.model_dump(mode="json") if isinstance(item, BaseModel) else item)
            return
        for part in shown:
            self.console.print(part, markup=False)


def print_json(value: Any) -> None:
    """Print `value` as indented JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def grid(*columns: str, rows: Iterable[Row]) -> Table:
    """Return a table that lines up: headings, two spaces between columns, nothing around it.

    Where a terminal is too narrow, the last column gives way first, and goes on below itself.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column != columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def facts(pairs: Iterable[tuple[str, str | Text | None]]) -> Table:
    """Return names and values below each other; what is None is left out."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in pairs:
        if value is not None:
            table.add_row(name, value if isinstance(value, Text) else Text(value))
    return table


def word(text: str | None, *, nothing: str = "-") -> Text:
    """Return a state or headline in its colour, with spaces for underscores."""
    if not text:
        return Text(nothing, style="dim")
    return Text(str(text).replace("_", " "), style=STYLES.get(str(text), ""))


def when(moment: datetime | None) -> str:
    """Return a time in UTC, to the second."""
    return moment.strftime("%Y-%m-%d %H:%M:%SZ") if moment else "-"


def attention(value: Attention | None) -> Text:
    """Return why a person is needed."""
    return Text(value.reason.replace("_", " "), style="bold red") if value else Text("-", style="dim")


def outcome_lines(outcome: Outcome) -> Table:
    """Return what became of each category of data."""
    rows = [
        (
            line.category,
            word(line.disposition),
            str(line.count),
            word(line.checked),
            line.ground or "-",
            line.until.isoformat() if line.until else "-",
            line.reason or "-",
        )
        for line in outcome.lines
    ]
    return grid("CATEGORY", "DISPOSITION", "COUNT", "CHECKED", "GROUND", "UNTIL", "REASON", rows=rows)
