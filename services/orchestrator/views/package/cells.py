"""Turns records into rows of a table that no spreadsheet takes for a program."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

MOST_COLUMNS: Final = 200
LONGEST_COLUMN: Final = 200  # characters
DEEPEST: Final = 8
MORE: Final = "(more)"  # the column for what has no column of its own

# What a spreadsheet may take for the beginning of a formula, also in full and small width, and the minus sign.
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
# What it may skip before that on one line: spaces of every kind, controls, marks without a width, quotes.
_SKIPPED = (
    '\\x00-\\x08\\x0b\\x0c\\x0e-\\x20"\\x7f-\\xa0\\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f'
    "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
# A cell begins at the start and, for a spreadsheet that splits at semicolons (as Dutch and German ones do) or at
# tabs, also amid the text: there the quotes around the cell do not hold. No step looks twice at what another
# skipped, so a cell of nothing but line ends costs no more than another.
_BEGINNING = re.compile(
    rf"\A(?=[{_SKIPPED}\t\r\n]*[{_FORMULA}]|[\t\r\n\x00])|(?<=[;|\t\r\n])(?=[{_SKIPPED}]*[{_FORMULA}])"
)


def harmless(text: str) -> str:
    """Return a cell's text with an apostrophe wherever a spreadsheet could see a formula begin.

    After OWASP, "CSV Injection", and ASVS 1.2.10. The JSON beside the table holds the text as it is.
    """
    return _BEGINNING.sub("'", text)


def flatten(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield column and text of each value of a record.

    A nested object becomes columns joined by dots (a dot or backslash within a name gets a backslash before it); a list
    is one cell of JSON, and so is an object that is empty or nested too deeply. Null is an empty cell.
    """
    yield from _flat(fields, "", 0)


def _flat(value: Mapping[str, Any], above: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        path = above + name.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(inner, Mapping) and inner and depth < DEEPEST:
            yield from _flat(inner, f"{path}.", depth + 1)
        else:
            yield path, _text(inner)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


class Columns:
    """The columns that a category's table needs, in the order in which they came up; so many and no more."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[str, None] = {}
        self._more = False

    def learn(self, fields: Mapping[str, Any]) -> None:
        """Add the columns of a record."""
        for column, _ in flatten(fields):
            if column in self._known:
                continue
            if len(self._known) < MOST_COLUMNS and len(column) <= LONGEST_COLUMN and column != MORE:
                self._known[column] = None
            else:
                self._more = True

    @property
    def names(self) -> tuple[str, ...]:
        """All of them; `(more)` at the end when there is more than they hold."""
        return (*self._known, MORE) if self._more else tuple(self._known)


def heading(columns: Sequence[str]) -> bytes:
    """Return the first line of a table, after the mark that makes spreadsheets read UTF-8."""
    return b"\xef\xbb\xbf" + _line(columns)


def row(columns: Sequence[str], fields: Mapping[str, Any]) -> bytes:
    """Return a record as a line; what has no column goes as JSON into the last, if that is `(more)`."""
    cells = dict.fromkeys(columns, "")
    more: dict[str, str] = {}
    for column, text in flatten(fields):
        if column in cells and column != MORE:
            cells[column] = text
        else:
            more[column] = text
    if more:
        cells[MORE] = json.dumps(more, ensure_ascii=False)
    return _line([cells[column] for column in columns])


def _line(cells: Sequence[str]) -> bytes:
    quoted = ('"' + harmless(cell).replace('"', '""') + '"' for cell in cells)
    return (",".join(quoted) + "\r\n").encode("utf-8", "replace")
