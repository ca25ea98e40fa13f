"""Due dates by Regulation 1182/71: known vectors, and what holds for every date."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.deadline import (
    MONTHS_EXTENDED,
    Calendar,
    add_months,
    due_on,
    is_working_day,
)

NETHERLANDS = Calendar("NL", "Europe/Amsterdam")
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
COUNTRIES = st.sampled_from(["NL", "DE", "FR", "PL", "IE"])


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        ("2025-03-05", "2025-04-07", "2025-06-05"),  # the 5th of April is a Saturday
        ("2025-08-31", "2025-09-30", "2025-12-01"),  # September has no 31st; the 30th of November is a Sunday
        ("2026-01-31", "2026-03-02", "2026-04-30"),  # from the receipt: chained, it would be the 28th of April
        ("2024-01-31", "2024-02-29", "2024-04-30"),  # a leap year
        ("2025-11-25", "2025-12-29", "2026-02-25"),  # Christmas, then a weekend
        ("2026-03-06", "2026-04-07", "2026-06-08"),  # Easter Monday
        ("2026-03-27", "2026-04-28", "2026-06-29"),  # King's Day
    ],
)
def test_vectors(received: str, due: str, extended: str) -> None:
    day = date.fromisoformat(received)
    assert due_on(day, "NL").isoformat() == due
    assert due_on(day, "NL", MONTHS_EXTENDED).isoformat() == extended


def test_the_day_of_receipt_is_the_controller_s_and_the_last_instant_too() -> None:
    evening = datetime(2026, 1, 14, 23, 30, tzinfo=UTC)  # the 15th in Amsterdam
    deadline = NETHERLANDS.deadline(evening)
    assert deadline.on == date(2026, 2, 16)
    assert deadline.at == datetime(2026, 2, 16, 22, 59, 59, 999999, tzinfo=UTC)
    assert Calendar("US", "America/New_York").deadline(evening).on == date(2026, 2, 17)  # the 16th: Presidents' Day


def test_the_last_instant_is_right_where_the_clock_changes_at_midnight() -> None:
    # In Santiago the 6th of September 2026 begins at 01:00: the 5th is a Saturday, so look at the zone alone.
    zone = "America/Santiago"
    for received in (datetime(2026, 8, 4, 15, tzinfo=UTC), datetime(2026, 3, 4, 15, tzinfo=UTC)):
        deadline = Calendar("CL", zone).deadline(received)
        local = deadline.at.astimezone(ZoneInfo(zone))
        assert local.date() == deadline.on
        assert (deadline.at + timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() > deadline.on


@given(DAYS, COUNTRIES, st.sampled_from([1, 3]))
def test_the_last_day_is_the_first_working_day_from_the_nominal_one_on(day: date, country: str, months: int) -> None:
    nominal, due = add_months(day, months), due_on(day, country, months)
    assert due >= nominal
    assert is_working_day(due, country)
    between = (nominal + timedelta(days=number) for number in range((due - nominal).days))
    assert not any(is_working_day(one, country) for one in between)


@given(DAYS, st.integers(1, 12))
def test_a_month_later_is_the_same_number_or_the_month_s_last_day(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(DAYS, DAYS, COUNTRIES)
def test_who_asked_later_is_never_answered_earlier(one: date, other: date, country: str) -> None:
    first, second = sorted((one, other))
    assert due_on(first, country) <= due_on(second, country)


@given(DAYS, COUNTRIES)
def test_two_working_days_lie_within_every_month(day: date, country: str) -> None:
    due = due_on(day, country)
    within = [day + timedelta(days=number) for number in range(1, (due - day).days + 1)]
    assert sum(is_working_day(one, country) for one in within) >= 2


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds are naive)
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_the_last_instant_ends_the_last_day(received_at: datetime, zone: str) -> None:
    deadline = Calendar("NL", zone).deadline(received_at)
    assert deadline.at.astimezone(ZoneInfo(zone)).date() == deadline.on
    assert (deadline.at + timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() == deadline.on + timedelta(
        days=1
    )
    assert deadline.at > received_at
