"""Whatever stands before and after a value, its forms are found in what it was encoded to, and nothing else is."""

import base64
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.leaks.forms import SHORTEST, forms

VALUES = st.text(min_size=SHORTEST, max_size=40).filter(
    lambda text: _encodable(text) and len(text.encode()) >= SHORTEST
)
NEIGHBOURS = st.binary(max_size=20)
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda raw: raw,
    "base64": base64.b64encode,
    "URL-safe base64": base64.urlsafe_b64encode,
    "base64 without padding": lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"="),
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
    "URL": lambda raw: quote(raw, safe="").encode(),
    "URL path": lambda raw: quote(raw).encode(),
    "form field": lambda raw: quote_plus(raw).encode(),
    "every byte escaped": lambda raw: "".join(f"%{byte:02x}" for byte in raw).encode(),
}
SPELLINGS: list[Callable[[str], str]] = [str, str.lower, str.upper]


def _encodable(text: str) -> bool:
    return all(not 0xD800 <= ord(character) < 0xE000 for character in text)


def found(value: str, data: bytes) -> bool:
    return any(needle in data for needle in forms(value))


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@given(value=VALUES, before=NEIGHBOURS, after=NEIGHBOURS, spell=st.sampled_from(SPELLINGS))
def test_a_value_is_found_among_any_neighbours(
    encode: Callable[[bytes], bytes], value: str, before: bytes, after: bytes, spell: Callable[[str], str]
) -> None:
    assert found(value, encode(before + spell(value).encode() + after))


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@given(value=VALUES, other=st.binary(max_size=60))
def test_nothing_is_found_where_the_value_is_not(encode: Callable[[bytes], bytes], value: str, other: bytes) -> None:
    every = {spell(value).encode() for spell in SPELLINGS}
    assume(not any(one[1:-1] in other for one in every))  # all but its ends decides about base64
    assume(not any(needle in other for needle in forms(value)))  # it may hold an encoding by chance
    assert not found(value, encode(other))


@given(value=VALUES)
def test_every_form_is_long_enough_not_to_be_met_by_chance(value: str) -> None:
    assert min(len(needle) for needle in forms(value)) >= SHORTEST


def test_a_short_value_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        forms("c-42")


def test_every_form_has_a_name_of_its_own() -> None:
    """The value has characters for which alphabets, cases and ways to escape differ, at every offset."""
    found = forms("ÿ?>~ /Jane" * 3)
    assert len(set(found.values())) == len(found)
    kinds = {name.partition(",")[0] for name in found.values()}
    base64s = {f"{kind} at offset {offset}" for kind in ("base64", "URL-safe base64") for offset in range(3)}
    parts = {f"URL-encoded ({part})" for part in ("query", "path", "form", "every byte")}
    assert kinds == {
        "plain",
        "hex",
        "hex in capitals",
        *base64s,
        *parts,
        *(f"{one} with small digits" for one in parts),
    }
