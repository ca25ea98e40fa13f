"""Whoever edits, deletes, reorders or cuts off entries of a whole timeline is found out by its chain."""

from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from habeas.vocabulary import RequestState
from services.orchestrator.domain.timeline import Entry, chain
from tests.unit.services.orchestrator.domain.office import EMAIL, NAMES, PROCESSORS, Office
from tests.unit.services.orchestrator.domain.papers import Case, verified

PICK = st.integers(0, 99)


def lived() -> Case:
    """Return a request that was filed, resolved, carried out everywhere and completed."""
    office = Office(PROCESSORS, cooling_off=True)
    for name in NAMES:
        office.announce(name)
    case = office.file({EMAIL})
    office.rest()
    assert case.request.state is RequestState.COMPLETED
    return case


CHANGES: list[dict[str, Any]] = [
    {"type": "task.skipped"}, {"actor": "cli-2"}, {"detail": {}}, {"task_id": "req-1/crm"}, {"event_id": "evt"},
]  # fmt: skip


@given(at=PICK, change=st.sampled_from(CHANGES), rehash=st.booleans())
def test_an_edit_of_the_timeline_is_noticed(at: int, change: dict[str, Any], rehash: bool) -> None:
    case = lived()
    entries, at = list(case.entries), at % len(case.entries)
    entry, digest = entries[at]
    assume(replace(entry, **change) != entry)
    before = entries[at - 1][1] if at else b""
    entries[at] = (replace(entry, **change), forged(before, replace(entry, **change)) if rehash else digest)
    assert not verified(entries, case.request.timeline_hash)


@given(at=PICK)
def test_a_deletion_from_the_timeline_is_noticed(at: int) -> None:
    case = lived()
    entries = list(case.entries)
    del entries[at % len(entries)]
    assert not verified(entries, case.request.timeline_hash)
    assert not verified(case.entries[: at % len(case.entries)], case.request.timeline_hash), "a tail was cut off"


@given(order=st.permutations(range(6)))
def test_another_order_of_the_timeline_is_noticed(order: list[int]) -> None:
    case = lived()
    assume(order != sorted(order))
    entries = [case.entries[place] for place in order] + case.entries[6:]
    assert not verified(entries, case.request.timeline_hash)
    renumbered = [(replace(entry, seq=place), digest) for place, (entry, digest) in enumerate(entries, start=1)]
    assert not verified(renumbered, case.request.timeline_hash)


def forged(before: bytes, entry: Entry) -> bytes:
    """Return the hash that somebody who knows how it is made would write beside a changed entry."""
    return chain(before, entry)
