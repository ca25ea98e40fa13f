"""Ids: shaped as promised, ordered by time as text, and the same for the same input."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ids

MILLISECONDS = st.integers(min_value=0, max_value=2**48 - 1)
DIGEST = st.binary(min_size=10, max_size=32)


@given(milliseconds=MILLISECONDS, digest=DIGEST)
def test_an_id_is_of_its_kind_and_tells_its_time(milliseconds: int, digest: bytes) -> None:
    one = ids.derived("tsk", milliseconds, digest)
    assert ids.is_id("tsk", one)
    assert not ids.is_id("req", one)
    assert ids.milliseconds_of(one) == milliseconds


@given(digest=DIGEST, other=DIGEST, times=st.tuples(MILLISECONDS, MILLISECONDS))
def test_text_sorts_as_time_does(digest: bytes, other: bytes, times: tuple[int, int]) -> None:
    first, second = sorted(times)
    if first != second:
        assert ids.derived("evt", first, digest) < ids.derived("evt", second, other)


@given(milliseconds=MILLISECONDS, digest=DIGEST, other=DIGEST)
def test_an_id_is_derived_from_its_digest_alone(milliseconds: int, digest: bytes, other: bytes) -> None:
    one = ids.derived("ntc", milliseconds, digest)
    assert one == ids.derived("ntc", milliseconds, digest[:10])
    six_bits_make_room = int.from_bytes(digest[:10], "big") ^ int.from_bytes(other[:10], "big")
    if six_bits_make_room & ((1 << 62) - 1):
        assert one != ids.derived("ntc", milliseconds, other)


@given(milliseconds=MILLISECONDS, entropy=st.integers(min_value=0, max_value=2**80 - 1))
def test_the_layout_is_a_uuid_of_version_8(milliseconds: int, entropy: int) -> None:
    number = ids.layout(milliseconds, entropy)
    assert number >> 80 == milliseconds
    assert number >> 76 & 0xF == 8
    assert number >> 62 & 0b11 == 0b10


def test_fresh_ids_differ_and_are_of_now() -> None:
    made = [ids.new("req") for _ in range(1000)]
    assert len(set(made)) == 1000
    assert abs(ids.milliseconds_of(made[0]) - time.time_ns() // 1_000_000) < 60_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "req_",
        "req_0000000000000000000000000",  # 25 characters
        "req_000000000000000000000000000",  # 27
        "req_80000000000000000000000000",  # more than 128 bits
        "req_0000000000000000000000000I",  # I, L, O and U are no digits
        "req_0000000000000000000000000a",
        "req_00000000000000000000000000\n",
        "tsk_00000000000000000000000000",
    ],
)
def test_what_is_no_id(text: str) -> None:
    assert not ids.is_id("req", text)


def test_encoding_is_crockford_base_32() -> None:
    assert ids.encode("req", 0) == "req_" + "0" * 26
    assert ids.encode("req", 31) == "req_" + "0" * 25 + "Z"
    assert ids.encode("req", 2**128 - 1) == "req_7" + "Z" * 25
    assert all(
        first < second for first, second in itertools.pairwise(ids.encode("req", number) for number in range(100))
    )
