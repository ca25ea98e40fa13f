"""A person asks for a copy and to be forgotten in one letter: the copy comes first, and holds what is gone by then."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.journeys.errands import is_a_copy
from tests.journeys.world import VENDORS, World, wish


@pytest.mark.parametrize("rights", [("access", "erasure"), ("erasure", "access")], ids=["copy_first", "copy_last"])
def test_the_copy_is_made_before_the_erasure_whichever_was_filed_first(
    calm: World, tmp_path: Path, rights: tuple[str, str]
) -> None:
    (person,) = calm.people(1)
    for vendor in VENDORS:
        calm.knobs(vendor, latency=0.03)
    filed = dict(zip(rights, calm.file([wish(right, person) for right in rights]), strict=True))
    calm.wait(list(filed.values()))
    assert ended(calm, filed["access"]) < first_effect(calm, filed["erasure"])
    is_a_copy(calm, filed["access"], person, tmp_path)
    calm.erased_once([person])
    calm.told_once([person])


def test_two_people_do_not_wait_for_each_other(calm: World) -> None:
    """One whose copy takes long holds up nobody but themselves."""
    slow, quick = calm.people(2)
    calm.knobs("s3", fail_5xx=1.0, only=slow.customer_id)
    (waiting,) = calm.file([wish("access", slow)])
    calm.wait(calm.erase([quick]))
    assert calm.completed([waiting]) == 0
    calm.calm()
    calm.wait([waiting])


def ended(world: World, request: str) -> datetime:
    (at,) = (one.at for one in world.habeas.requests.timeline(request) if one.type == "request.completed")
    return at


def first_effect(world: World, request: str) -> datetime:
    """Return when the first task with effects was handed to a processor."""
    erasing = {one.id for one in world.habeas.requests.tasks(request) if one.action == "erase"}
    facts = world.habeas.requests.timeline(request)
    return min(one.at for one in facts if one.type == "task.dispatched" and one.task in erasing)
