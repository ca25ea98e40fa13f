"""When an answer is due: calendar months by Regulation (EEC, Euratom) 1182/71, in the controller's country and zone."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

MONTHS = 1  # GDPR Article 12(3)
MONTHS_EXTENDED = 3  # Article 12(3): one month, extended by two, counted from receipt

_SATURDAY = 5
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """`on` is the last day, in the controller's zone; `at` its last instant, in UTC."""

    on: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where the controller answers: `country` (ISO 3166-1 alpha-2) has the holidays, `zone` (IANA) the days."""

    country: str
    zone: str

    def deadline(self, received_at: datetime, *, months: int = MONTHS) -> Deadline:
        """Return when the answer to what came at `received_at` (aware) is due.

        Compute an extension with `months=MONTHS_EXTENDED` from the receipt, never from the first due date.
        """
        zone = ZoneInfo(self.zone)
        on = due_on(received_at.astimezone(zone).date(), self.country, months)
        midnight = datetime.combine(on + timedelta(days=1), time(), zone)
        return Deadline(on, midnight.astimezone(UTC) - _MICROSECOND)


@lru_cache(maxsize=4096)
def due_on(received_on: date, country: str, months: int = MONTHS) -> date:
    """Return the last day of a period of `months` calendar months that starts with an event on `received_on`.

    The day of the event does not count (Article 3(1)), so the period ends with the day of the same number, or with
    the last day of a month that has no such day (3(2)(c)). A Saturday, Sunday or public holiday at the end moves it
    to the end of the next working day (3(4)). Two working days (3(5)) lie within any month.
    """
    end = add_months(received_on, months)
    while not is_working_day(end, country):
        end += timedelta(days=1)
    return end


def add_months(day: date, months: int) -> date:
    """Return the day of the same number `months` later, or the last day of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def is_working_day(day: date, country: str) -> bool:
    """Whether `day` is neither a Saturday, a Sunday nor a public holiday of `country`."""
    return day.weekday() < _SATURDAY and day not in _public_holidays(country, day.year)


@lru_cache(maxsize=256)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
