"""Decides which items must be kept: the task's retention rules against an item's category and date."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from habeas.sdk import Item, RetentionRule


@dataclass(frozen=True, slots=True)
class Hold:
    """A lawful reason to keep an item; `until` is the first day on which it may go, None while that is not known."""

    ground: str
    until: date | None


def hold_on(item: Item, rules: Iterable[RetentionRule], *, today: date) -> Hold | None:
    """Return the longest hold on `item`, or None when it may go.

    An item without a date under a rule is kept without an end: to keep too long can be mended, to erase too early
    can not.
    """
    holds = [
        Hold(rule.ground, None if item.dated is None else months_after(item.dated, rule.months))
        for rule in rules
        if rule.category == item.category
    ]
    live = [hold for hold in holds if hold.until is None or today < hold.until]
    return max(live, key=lambda hold: (hold.until is None, hold.until or date.max), default=None)


def months_after(start: date, months: int) -> date:
    """Return the same day `months` calendar months later, or the last day of that month where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
