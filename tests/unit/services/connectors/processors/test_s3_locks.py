"""A lock is told by the first day on which nothing keeps the version, and judged by its moment."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import cast

import pytest

from habeas.sdk import Context, CredentialsRejected, Disposition, Identity, IdentityType, Item, Result, RetryLater
from services.connectors.processors.s3.processor import S3
from services.connectors.processors.s3.vendor import Bucket, Lock, Version
from tests.unit.services.connectors.processors.test_s3_prefix import processor

ENDS = datetime(2027, 5, 1, 18, tzinfo=UTC)
ITEM = Item('["customers/c-1/a", "v1"]', "files", Identity(IdentityType.CUSTOMER_ID, "c-1"))


@pytest.mark.parametrize(
    ("until", "day"),
    [
        (ENDS, date(2027, 5, 2)),
        (datetime(2027, 5, 1, tzinfo=UTC), date(2027, 5, 1)),
        (datetime(2027, 5, 1, 0, 0, 1, tzinfo=UTC), date(2027, 5, 2)),
        (datetime(2027, 5, 1, 1, tzinfo=timezone(timedelta(hours=2))), date(2027, 5, 1)),
        (None, None),
    ],
)
def test_a_version_may_go_on_the_first_day_that_is_free_of_the_lock(until: datetime | None, day: date | None) -> None:
    assert Lock(until).gone_on == day


class Locked:
    """A bucket that deletes nothing, for a lock or without one."""

    def __init__(self, lock: Lock | None) -> None:
        self.lock = lock

    def delete(self, versions: list[Version], ask: object) -> Mapping[tuple[str, str], str]:
        return {(version.key, version.id): "AccessDenied" for version in versions}

    def lock_on(self, version: Version, ask: object) -> Lock | None:
        return self.lock


class At:
    """A context of which only the time is asked."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def erased(lock: Lock | None, now: datetime) -> list[Result]:
    s3: S3 = processor()
    s3._opened = cast(Bucket, Locked(lock))
    return s3.erase(cast(Context, At(now)), [ITEM])


def test_what_a_lock_keeps_is_retained_until_that_day() -> None:
    (kept,) = erased(Lock(ENDS), ENDS - timedelta(seconds=1))
    assert (kept.disposition, kept.ground, kept.until) == (Disposition.RETAINED, "object_lock", date(2027, 5, 2))


def test_a_lock_that_ended_by_our_clock_alone_is_waited_for() -> None:
    with pytest.raises(RetryLater, match="lock_just_ended"):
        erased(Lock(ENDS), ENDS + timedelta(minutes=4))


@pytest.mark.parametrize("lock", [None, Lock(ENDS)])
def test_what_nothing_keeps_any_more_and_we_may_not_delete_needs_a_person(lock: Lock | None) -> None:
    with pytest.raises(CredentialsRejected, match="delete_not_permitted"):
        erased(lock, ENDS + timedelta(minutes=5))
