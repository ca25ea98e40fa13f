"""Whatever bytes a broker hands over, reading them ends, and says of each place at most once what is there."""

import random
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.chassis.kafka import codecs
from services.chassis.kafka.record_batches import CHECKSUM_LOOKS, Fetched, Records, Unreadable
from tests.batches import CODECS, Batch, header_name, stored

PLACE = TopicPartition("habeas.reports.v1", 3)


def reading(raw: bytes, *, position: int = 0) -> Records:
    return Records(PLACE, Fetched(raw), [], position, None, None, True, 0)


def told(records: Records) -> list[tuple[int, Any]]:
    """Return offset and key, or the reason why there is none."""
    return [(one.offset, one.reason if isinstance(one, Unreadable) else one.key) for one in records]


def of(*keys: bytes, codec: str = "none") -> Batch:
    batch = Batch(codec=codec)
    for key in keys:
        batch.add(key, b"v" * 200, [("name", b"x")])
    return batch


@pytest.mark.parametrize("codec", CODECS)
def test_reads_on_from_the_middle_of_a_batch(codec: str) -> None:
    records = reading(stored(of(b"a", b"b", b"c", codec=codec), base=7), position=8)
    assert told(records) == [(8, b"b"), (9, b"c")]
    assert records.next_fetch_offset == 10


def test_a_batch_that_was_cut_off_waits_for_the_next_fetch() -> None:
    whole, cut = stored(of(b"a")), stored(of(b"b"), base=1)
    for length in range(len(cut)):
        records = reading(whole + cut[:length])
        assert told(records) == [(0, b"a")]
        assert records.next_fetch_offset == 1


def test_a_record_under_a_name_that_is_no_text_stands_between_its_neighbours() -> None:
    batch = of(b"a").add(b"b", b"v", [(header_name(b"\xff"), b"x")]).add(b"c", b"v")
    assert told(reading(stored(batch, base=5))) == [(5, b"a"), (6, "unreadable_record"), (7, b"c")]


def test_a_wrong_checksum_is_looked_at_again_before_it_is_given_up() -> None:
    raw = bytearray(stored(of(b"a", b"b"), base=4))
    raw[-1] ^= 1
    for _ in range(CHECKSUM_LOOKS - 1):
        records = reading(bytes(raw), position=4)
        assert told(records) == []
        assert records.next_fetch_offset == 4
    records = reading(bytes(raw) + stored(of(b"c"), base=6), position=4)
    assert told(records) == [(5, "unreadable_batch"), (6, b"c")]


def test_a_wrong_checksum_on_the_way_costs_nothing() -> None:
    good = stored(of(b"a"), base=40)
    bad = bytearray(good)
    bad[-1] ^= 1
    assert told(reading(bytes(bad), position=40)) == []
    assert told(reading(good, position=40)) == [(40, b"a")]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_no_codec_unfolds_to_more_than_the_bound(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "MOST", 100_000)
    small, large = of(*[b"k"] * 400, codec=codec), of(*[b"k"] * 600, codec=codec)
    assert len(told(reading(stored(small)))) == 400
    assert told(reading(stored(large))) == [(599, "unreadable_batch")]


@pytest.mark.parametrize("codec", CODECS)
def test_whatever_is_broken_inside_never_raises_and_never_leaves_the_batch(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.kafka.record_batches.CHECKSUM_LOOKS", 1)
    monkeypatch.setattr("services.chassis.kafka.record_batches.sound", lambda _: True)
    chance = random.Random(codec)  # the same damage at each run
    good = stored(of(b"a", b"b", b"c", b"d", codec=codec), base=100)
    behind = stored(of(b"z"), base=104)
    for _ in range(500):
        raw = bytearray(good)
        for _ in range(chance.choice([1, 1, 2, 8])):
            raw[chance.randrange(61, len(raw))] = chance.randrange(256)
        found = told(reading(bytes(raw) + behind, position=100))
        offsets = [offset for offset, _ in found]
        assert offsets == sorted(set(offsets))
        assert set(offsets) <= set(range(100, 105))
        assert found[-1] == (104, b"z")
