"""Stripe's search."""

import pytest

from services.sandbox.stripe.index import BadQueryError, SearchIndex

ANNA = {"id": "cus_1", "email": "Anna@Example.com", "name": "Anna Berg", "metadata": {"customer_id": "c-1"}}
BRAM = {"id": "cus_2", "email": "bram@example.com", "name": "Bram Berg", "metadata": {}}


@pytest.fixture
def index() -> SearchIndex:
    filled = SearchIndex(lambda: 0.0)
    for body in (ANNA, BRAM):
        filled.put(str(body["id"]), body, at_once=True)
    return filled


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email:'anna@example.com'", ["cus_1"]),
        ('email:"ANNA@example.com"', ["cus_1"]),
        ("email:'anna'", []),
        ("email~'example'", ["cus_2", "cus_1"]),
        ("metadata['customer_id']:'c-1'", ["cus_1"]),
        ("name~'berg' AND email:'bram@example.com'", ["cus_2"]),
        ("email:'x' OR email:'bram@example.com'", ["cus_2"]),
        (r"email:'o\'brien'", []),
    ],
)
def test_texts_are_compared_whole_or_in_part_and_in_any_case(index: SearchIndex, query: str, found: list[str]) -> None:
    assert [body["id"] for body in index.found(query, 0)] == found


@pytest.mark.parametrize(
    "query",
    ["", "anna", "email:anna", "age:'1'", "email~'an'", "metadata:'c-1'", "email:'a' AND email:'b' OR email:'c'"],
)
def test_a_query_that_can_not_be_read_is_refused(index: SearchIndex, query: str) -> None:
    with pytest.raises(BadQueryError):
        index.found(query, 0)


def test_it_learns_of_writes_late() -> None:
    now = [0.0]
    late = SearchIndex(lambda: now[0])
    late.put("cus_1", ANNA)
    assert late.found("name~'anna'", 5) == []
    now[0] = 5.0
    assert len(late.found("name~'anna'", 5)) == 1
    late.put("cus_1", None)
    assert len(late.found("name~'anna'", 5)) == 1
    assert late.found("name~'anna'", 0) == []
