"""Cursors can be neither made up nor used elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.api.cursors import Cursors
from services.orchestrator.api.problems import ProblemRaised

CURSORS = Cursors(bytes(32))
FILTERS = {"state": "received", "client": "cli_1"}


@given(st.one_of(st.text(), st.integers()))
def test_a_cursor_gives_back_where_to_go_on(after: str | int) -> None:
    assert CURSORS.read("requests", FILTERS, CURSORS.make("requests", FILTERS, after)) == after


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(ProblemRaised):
        CURSORS.read("requests", FILTERS, text)


def test_a_cursor_holds_for_its_list_its_filters_and_its_installation() -> None:
    cursor = CURSORS.make("requests", FILTERS, "req_1")
    for cursors, listing, filters in (
        (CURSORS, "timeline", FILTERS),
        (CURSORS, "requests", {**FILTERS, "client": "cli_2"}),
        (Cursors(bytes(31) + b"x"), "requests", FILTERS),
    ):
        with pytest.raises(ProblemRaised) as refused:
            cursors.read(listing, filters, cursor)
        assert refused.value.code == "cursor_invalid"


@given(st.integers(0, 27), st.integers(1, 255))
def test_a_changed_cursor_is_refused(place: int, change: int) -> None:
    cursor = CURSORS.make("requests", FILTERS, "req_1")
    character = chr((ord(cursor[place % len(cursor)]) + change) % 128)
    changed = cursor[: place % len(cursor)] + character + cursor[place % len(cursor) + 1 :]
    if changed != cursor:
        with pytest.raises(ProblemRaised):
            CURSORS.read("requests", FILTERS, changed)
