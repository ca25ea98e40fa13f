"""Retention: which items stay, and until when."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habeas.engine.holds import Hold, hold_on, months_after
from habeas.sdk import Item, RetentionRule
from tests.unit.habeas.engine.vendor import SUBJECT

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 10, 31), 4, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(9999, 1, 1), 1200, date.max),
    ],
)
def test_months_are_calendar_months(start: date, months: int, end: date) -> None:
    assert months_after(start, months) == end


@given(st.dates(max_value=date(8000, 1, 1)), st.integers(1, 1200), st.integers(1, 1200))
def test_a_longer_period_never_ends_earlier(start: date, short: int, more: int) -> None:
    assert months_after(start, short) <= months_after(start, short + more)


def item(dated: date | None) -> Item:
    return Item("r", "invoices", SUBJECT, dated=dated)


def test_the_longest_rule_holds() -> None:
    rules = [RetentionRule("invoices", "contract", 12), RetentionRule("invoices", "tax_law", 84)]
    assert hold_on(item(date(2026, 1, 1)), rules, today=TODAY) == Hold("tax_law", date(2033, 1, 1))


def test_a_hold_ends_on_its_day() -> None:
    rules = [RetentionRule("invoices", "contract", 12)]
    assert hold_on(item(date(2025, 11, 20)), rules, today=TODAY) is None
    assert hold_on(item(date(2025, 11, 21)), rules, today=TODAY) == Hold("contract", date(2026, 11, 21))


def test_an_item_without_a_date_is_kept_without_an_end() -> None:
    assert hold_on(item(None), [RetentionRule("invoices", "tax_law", 84)], today=TODAY) == Hold("tax_law", None)


def test_rules_for_other_categories_do_not_hold() -> None:
    assert hold_on(item(TODAY), [RetentionRule("contracts", "tax_law", 84)], today=TODAY) is None
