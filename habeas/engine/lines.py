"""Sums results up into the lines of an outcome."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from habeas.engine.ports import OutcomeLine, StoredItem
from habeas.sdk import ProcessorError
from habeas.vocabulary import Checked, Disposition

# The category of a line that speaks of the processor as a whole.
ALL = "all"

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def word(text: str | None, *, otherwise: str | None = None) -> str | None:
    """Return `text` when it is a machine word, else `otherwise`: what a processor says freely may quote a person."""
    return text if isinstance(text, str) and _WORD.fullmatch(text) else otherwise


def reason_of(error: ProcessorError) -> str:
    """Return why an error was raised, as a machine word: its own, or that of its class."""
    return word(error.reason, otherwise=type(error).code) or type(error).code


def line(disposition: Disposition, checked: Checked, *, reason: str | None = None) -> OutcomeLine:
    """Return a line about the processor as a whole."""
    return OutcomeLine(ALL, disposition, 0, checked, reason=word(reason, otherwise="unspecified") if reason else None)


def lines_of(items: Iterable[StoredItem], checked: Callable[[StoredItem], Checked]) -> tuple[OutcomeLine, ...]:
    """Return one line per category, disposition, ground, end, reason and check, in that order.

    `count` is in records: what the result says, or else what the item stands for. Items without a result are left out.
    """
    sums: Counter[OutcomeLine] = Counter()
    for item in items:
        result = item.result
        if result is None:
            continue
        shape = OutcomeLine(
            category=item.item.category,
            disposition=result.disposition,
            count=0,
            checked=checked(item),
            ground=word(result.ground, otherwise="unspecified") if result.ground else None,
            until=result.until,
            reason=word(result.note, otherwise="unspecified") if result.note else None,
        )
        sums[shape] += result.count if result.count > 1 else item.item.count
    return tuple(replace(shape, count=count) for shape, count in sorted(sums.items(), key=lambda each: _order(each[0])))


def _order(shape: OutcomeLine) -> tuple[str, str, str, date, str, str]:
    return (
        shape.category,
        shape.disposition.value,
        shape.ground or "",
        shape.until or date.min,
        shape.reason or "",
        shape.checked.value,
    )
