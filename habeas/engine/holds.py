"""Decides which items must be kept: the task's retention rules against an item's category and date."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from habeas.sdk import Item, RetentionRule
from habeas.vocabulary import CountedFrom


@dataclass(frozen=True, slots=True)
class Hold:
    """A lawful reason to keep an item; `until` is the first day on which it may go, None while that is not known."""

    ground: str
    until: date | None


def hold_on(item: Item, rules: Iterable[RetentionRule], *, today: date) -> Hold | None:
    """Return the longest hold on `item`, or None when it may go.

    An item without a date under a rule is kept without an end: to keep too long can be mended, to erase too early
    cannot.
    """
    holds = [
        Hold(rule.ground, None if item.dated is None else end_of(rule, item.dated))
        for rule in rules
        if rule.category == item.category
    ]
    return longest(hold for hold in holds if hold.until is None or today < hold.until)


def longest(holds: Iterable[Hold]) -> Hold | None:
    """Return the hold that ends last, one without an end before all; None of none."""
    return max(holds, key=lambda hold: (hold.until is None, hold.until or date.max), default=None)


def end_of(rule: RetentionRule, dated: date) -> date:
    """Return the first day on which what is `dated` so may go.

    Counted from the date itself, or from the end of its calendar year: then the period begins with the next year.
    """
    if rule.counted_from is CountedFrom.DATE:
        return months_after(dated, rule.months)
    return date.max if dated.year == date.max.year else months_after(date(dated.year + 1, 1, 1), rule.months)


def months_after(start: date, months: int) -> date:
    """Return the same day `months` calendar months later, or the last day of that month where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
