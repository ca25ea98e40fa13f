"""The search index: its lag and its filters."""

from typing import Any

import pytest

from services.sandbox.hubspot.index import SearchIndex, Snapshot, contains_token, matches


def snapshot(name: str) -> Snapshot:
    return Snapshot("1", {"firstname": name}, 0, 0)


def test_a_write_shows_once_it_is_older_than_the_lag() -> None:
    now = [100.0]
    index = SearchIndex(lambda: now[0])
    index.put("contacts", "1", snapshot("Ann"), at_once=True)
    index.put("contacts", "1", snapshot("Bea"))
    index.put("contacts", "1", None)
    assert [one.properties["firstname"] for one in index.visible("contacts", 5)] == ["Ann"]
    now[0] = 104.9
    assert len(list(index.visible("contacts", 5))) == 1
    now[0] = 105.0
    assert list(index.visible("contacts", 5)) == []


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("ann@example.com", "ANN@example.com", True),
        ("lee.ann@example.com", "ann@example.com", True),
        ("a@example.org;ann@example.com", "ann@example.com", True),
        ("ann@example.org", "ann@example.com", False),
        ("ann@example.com", "*@example.com", True),
        ("ann@example.com", "bea*", False),
        ("", "ann", False),
    ],
)
def test_tokens(text: str, wanted: str, *, found: bool) -> None:
    assert contains_token(text, wanted) is found


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"operator": "EQ", "value": "ANN"}, True),
        ({"operator": "NEQ", "value": "ann"}, False),
        ({"operator": "IN", "values": ["bea", "ann"]}, True),
        ({"operator": "NOT_IN", "values": ["bea"]}, True),
        ({"operator": "HAS_PROPERTY"}, True),
        ({"operator": "NOT_HAS_PROPERTY"}, False),
        ({"operator": "NOT_CONTAINS_TOKEN", "value": "ann"}, False),
        ({"operator": "GT", "value": "9", "propertyName": "amount"}, True),
        ({"operator": "LTE", "value": "10", "propertyName": "amount"}, True),
        ({"operator": "LT", "value": "10", "propertyName": "amount"}, False),
        ({"operator": "BETWEEN", "value": "9", "highValue": "11", "propertyName": "amount"}, True),
        ({"operator": "BETWEEN", "value": "11", "highValue": "12", "propertyName": "amount"}, False),
        ({"operator": "EQ", "value": "", "propertyName": "unset"}, False),
    ],
)
def test_filters(wanted: dict[str, Any], *, holds: bool) -> None:
    properties = {"firstname": "Ann", "amount": "10"}
    assert matches(properties, {"propertyName": "firstname", **wanted}) is holds
