"""Pauses grow, are spread, have an end, and never pass the due date."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.domain.backoff import LONGEST, SHORTEST, pause

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(("retries", "longest"), [(0, 1.0), (1, 2.0), (5, 32.0), (20, LONGEST), (10_000, LONGEST)])
def test_it_doubles_up_to_a_longest(retries: int, longest: float) -> None:
    assert pause(retries, draw=1.0, now=NOW, due_at=None) == longest


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_it_lies_within_bounds(retries: int, draw: float) -> None:
    assert SHORTEST <= pause(retries, draw=draw, now=NOW, due_at=None) <= LONGEST


def test_there_is_a_last_try_when_it_is_due() -> None:
    assert pause(20, draw=1.0, now=NOW, due_at=NOW + timedelta(seconds=60)) == 60.0


def test_after_the_due_date_it_goes_on_as_before() -> None:
    assert pause(20, draw=1.0, now=NOW, due_at=NOW - timedelta(seconds=60)) == LONGEST
