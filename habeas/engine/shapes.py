"""Tells whether what a processor yields and answers has the shape that the SDK describes: nothing else is let in."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeGuard

from habeas.sdk import Disposition, File, Identity, IdentityType, Item, Record, Result, Wait
from habeas.sdk.http import RETRY_AFTER_MAX


def is_item(thing: object) -> TypeGuard[Item]:
    """Whether `thing` is an item that can be read again, counted, dated and compared; its category is not judged."""
    return (
        has_key(thing)
        and thing.ref != ""
        and _is_count(thing.count)
        and (thing.dated is None or _is_day(thing.dated))
        and is_identity(thing.matched)
    )


def has_key(thing: object) -> TypeGuard[Item]:
    """Whether `thing` is an item that can be told apart from others."""
    return isinstance(thing, Item) and _is_text(thing.ref) and _is_text(thing.category)


def is_identity(thing: object) -> TypeGuard[Identity]:
    """Whether `thing` is an identity that can be compared, an empty one included."""
    kind: object = thing.type if isinstance(thing, Identity) else None
    return isinstance(thing, Identity) and isinstance(kind, IdentityType) and _is_text(thing.value)


def is_result(thing: Result) -> bool:
    """Whether `thing` can be remembered and summed up; whose result it is, and whether it fits, is not judged."""
    disposition: object = thing.disposition
    evidence: object = thing.evidence
    return (
        isinstance(disposition, Disposition)
        and _is_count(thing.count)
        and (thing.ground is None or _is_text(thing.ground))
        and (thing.note is None or _is_text(thing.note))
        and (thing.until is None or _is_day(thing.until))
        and isinstance(evidence, Mapping)
        and all(_is_text(name) and _is_text(fact) for name, fact in evidence.items())
    )


def is_wait(wait: Wait) -> bool:
    """Whether `wait` names a job that can be stored, and times that mean something."""
    named = wait.job != "" and _is_text(wait.job) and _is_text(wait.reason)
    return named and _is_moment(wait.check_at) and _is_moment(wait.expect_by)


def is_exported(thing: object) -> TypeGuard[Record | File]:
    """Whether `thing` says of which item it is, and a file of what kind; what is in it is judged as it is written."""
    if isinstance(thing, File) and not _is_text(thing.media_type):
        return False
    return isinstance(thing, Record | File) and has_key(thing.item)


def seconds(after: object) -> float | None:
    """Return how long to wait where a processor says so: at least nothing, at most a day."""
    if isinstance(after, bool) or not isinstance(after, int | float) or math.isnan(after):
        return None
    return min(max(float(after), 0.0), RETRY_AFTER_MAX)


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _is_text(text: object) -> bool:
    return isinstance(text, str)


def _is_day(day: object) -> bool:
    return isinstance(day, date) and not isinstance(day, datetime)


def _is_moment(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None
