"""Nested values in a form."""

import pytest

from services.sandbox.stripe.forms import MalformedError, parsed


def test_brackets_nest_and_empty_ones_append() -> None:
    assert parsed("objects[customers][]=cus_1&objects[customers][]=cus_2&metadata[a]=1&name=x+y&limit=") == {
        "objects": {"customers": ["cus_1", "cus_2"]},
        "metadata": {"a": "1"},
        "name": "x y",
        "limit": "",
    }


def test_escaped_brackets_are_brackets() -> None:
    assert parsed("created%5Bgte%5D=1") == {"created": {"gte": "1"}}


@pytest.mark.parametrize(
    "text", ["a", "a[b=1", "a]=1", "[a]=1", "a[][b]=1", "a=1&a[b]=2", "a[b]=1&a=2", "a[]=1&a[b]=2", "a&b=1", "=1"]
)
def test_what_can_not_be_read_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parsed(text)
