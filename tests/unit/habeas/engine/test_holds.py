"""Retention: which items stay, and until when."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habeas.engine.holds import Hold, end_of, hold_on, months_after
from habeas.sdk import Item, RetentionRule
from habeas.vocabulary import CountedFrom
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


TAX = RetentionRule("invoices", "tax_law", 84, CountedFrom.END_OF_YEAR)
DATES = st.dates(max_value=date(8000, 1, 1))


@pytest.mark.parametrize(
    ("dated", "until"),
    [
        (date(2026, 1, 1), date(2034, 1, 1)),
        (date(2026, 12, 31), date(2034, 1, 1)),
        (date(2024, 2, 29), date(2032, 1, 1)),
        (date(2027, 1, 1), date(2035, 1, 1)),
        (date(9999, 6, 1), date.max),
    ],
)
def test_book_keeping_law_counts_from_the_end_of_the_year(dated: date, until: date) -> None:
    assert hold_on(item(dated), [TAX], today=date(2026, 1, 1)) == Hold("tax_law", until)


def test_months_behind_a_year_need_not_end_with_one() -> None:
    assert end_of(RetentionRule("invoices", "tax_law", 18, CountedFrom.END_OF_YEAR), date(2026, 5, 5)) == date(
        2028, 7, 1
    )


@given(DATES, st.integers(1, 1200))
def test_a_period_from_the_end_of_the_year_is_longer_by_less_than_a_year_and_a_day(dated: date, months: int) -> None:
    from_date = end_of(RetentionRule("invoices", "tax_law", months), dated)
    from_year = end_of(RetentionRule("invoices", "tax_law", months, CountedFrom.END_OF_YEAR), dated)
    assert from_date < from_year or (from_date == from_year and dated.month == 12)
    assert (from_year - from_date).days <= 366 + 3  # a month without the day cuts up to three off


@given(DATES, st.integers(1, 100))
def test_whole_years_from_the_end_of_a_year_end_with_a_year(dated: date, years: int) -> None:
    until = end_of(RetentionRule("invoices", "tax_law", 12 * years, CountedFrom.END_OF_YEAR), dated)
    assert until == date(dated.year + years + 1, 1, 1)


@given(DATES, st.integers(1, 1200), st.sampled_from(CountedFrom))
def test_a_hold_is_there_until_its_day_and_gone_from_then_on(dated: date, months: int, counted: CountedFrom) -> None:
    rule = RetentionRule("invoices", "tax_law", months, counted)
    until = end_of(rule, dated)
    assert hold_on(item(dated), [rule], today=date.fromordinal(until.toordinal() - 1)) == Hold("tax_law", until)
    assert hold_on(item(dated), [rule], today=until) is None
