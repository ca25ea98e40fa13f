"""How long a client waits before it tries again."""

from datetime import UTC, datetime

import pytest

from habeas.client.retries import Retries, retry_after

NOW = datetime(2026, 1, 31, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12.0),
        (" 3 ", 3.0),
        ("Sat, 31 Jan 2026 10:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_reads_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, now=NOW) == seconds


def test_doubles_up_to_the_longest() -> None:
    retries = Retries(attempts=9, first_wait=1.0, longest_wait=5.0)
    waits = [retries.wait_before(attempt, dice=lambda: 0.0) for attempt in range(2, 7)]
    assert waits == [0.5, 1.0, 2.0, 2.5, 2.5]


def test_the_wait_is_never_shorter_than_asked() -> None:
    assert Retries().wait_before(2, dice=lambda: 0.9, asked=4.0) == 4.0


def test_ends_after_its_attempts() -> None:
    assert Retries(attempts=2).wait_before(3, dice=lambda: 0.0) is None
