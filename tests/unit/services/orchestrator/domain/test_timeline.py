"""The hash chain of the timeline covers every field of every entry, and their order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from services.orchestrator.domain.timeline import ORIGIN, Entry, chain

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FIRST = Entry(1, "evt_1", "request.received", AT, actor="cli_1")
SECOND = Entry(2, "evt_2", "task.settled", AT, "tsk_1", "crm-eu", None, {"headline": "fulfilled", "count": 2})


def test_a_known_chain_keeps_its_value() -> None:
    """Stored chains are checked for years: this value must never change."""
    end = chain(chain(ORIGIN, FIRST), SECOND)
    assert end.hex() == "849b40562e173a1148ab58bf9971c0b0e833f31b7b88bb42227ed5635a8001d4"


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 3}, {"event_id": "evt_3"}, {"type": "x"}, {"at": AT + timedelta(microseconds=1)}, {"task_id": None},
        {"processor": "files"}, {"actor": "cli_1"}, {"detail": {}}, {"detail": {"headline": "fulfilled", "count": 3}},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_change_of_any_field_changes_the_hash(change: dict[str, Any]) -> None:
    assert chain(ORIGIN, replace(SECOND, **change)) != chain(ORIGIN, SECOND)


def test_a_change_of_the_past_changes_every_hash_after_it() -> None:
    other = replace(FIRST, actor="cli_2")
    assert chain(chain(ORIGIN, other), SECOND) != chain(chain(ORIGIN, FIRST), SECOND)


def test_how_a_fact_was_written_down_does_not_matter() -> None:
    turned = dict(reversed(list(SECOND.detail.items())))
    moved = SECOND.at.astimezone(timezone(timedelta(hours=2)))
    assert chain(ORIGIN, replace(SECOND, detail=turned, at=moved)) == chain(ORIGIN, SECOND)
    assert replace(SECOND, detail=turned).detail_text == SECOND.detail_text
