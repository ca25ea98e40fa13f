"""One attempt's export over a real folder: what stops it, and that nothing stays of it then."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.exports import MOST_BLOCK, path_of
from contracts.seal import SealedSubject
from habeas.engine import LeaseLost
from habeas.sdk import CannotFulfil, File, Identity, IdentityType, Item, Record, RetryLater
from services.chassis.crypto.seal import BrokenSeal
from services.chassis.exports import BlockTooLarge
from services.chassis.object_settings import open_store
from services.chassis.objects import ObjectStore
from services.connectors.host.exports import AttemptExports, Place, _key

TASK = "tsk_01M7W4N5E0H3HBY6FEEGCBMF3Q"
KEY = bytes(range(32))
ITEM = Item("r1", "contact", Identity(IdentityType.CUSTOMER_ID, "c-1"))


@dataclass
class Memory:
    lease: float = 60.0
    cancel: bool = False
    told: list[str] = field(default_factory=list)

    async def exporting(self) -> None:
        self.told.append("exporting")

    def lease_left(self) -> float:
        return self.lease

    def cancelled(self) -> bool:
        return self.cancel


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(tmp_path.as_uri())


def files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def export(store: ObjectStore, memory: Memory, *, turns: int = 1) -> AttemptExports:
    return AttemptExports(Place(store, asyncio.Semaphore(turns)), TASK, 7, KEY, memory)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def one_file(exports: AttemptExports, *parts: bytes) -> None:
    await exports.file(File(ITEM, "text/plain", chunks()), chunks(*parts))


async def test_what_is_finished_stays_under_the_attempts_name(store: ObjectStore, tmp_path: Path) -> None:
    memory = Memory()
    async with export(store, memory) as exports:
        await exports.begin()
        await exports.record(Record(ITEM, {"a": 1}))
        await one_file(exports, b"x" * 3_000_000, b"y")
        receipt = await exports.finish()
    assert memory.told == ["exporting"]
    assert files(tmp_path) == [path_of(TASK, 7)]
    assert (receipt.attempt, receipt.records, receipt.files) == (7, 1, 1)
    assert receipt.size == (tmp_path / path_of(TASK, 7)).stat().st_size


@pytest.mark.parametrize("moment", ["a record", "a file", "the end"])
@pytest.mark.parametrize(("change", "expected"), [("lease", LeaseLost), ("cancel", RetryLater)])
async def test_what_must_stop_stops_and_leaves_nothing(
    store: ObjectStore, tmp_path: Path, moment: str, change: str, expected: type[Exception]
) -> None:
    memory = Memory()

    async def went_on() -> None:
        async with export(store, memory) as exports:
            await exports.begin()
            await one_file(exports, b"x" * 200_000)
            setattr(memory, change, change == "cancel")
            if moment == "a record":
                await exports.record(Record(ITEM, {"text": "x" * 100_000}))
            elif moment == "a file":
                await one_file(exports, b"x" * 100_000)
            else:
                await exports.finish()

    with pytest.raises(expected):
        await went_on()
    assert files(tmp_path) == []


async def test_what_is_given_away_without_a_finish_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    async with export(store, Memory()) as exports:
        await exports.begin()
        await one_file(exports, b"x" * 8_000_000)
    assert files(tmp_path) == []


async def test_too_large_a_record_is_a_mistake_that_the_engine_names(store: ObjectStore) -> None:
    async with export(store, Memory()) as exports:
        await exports.begin()
        with pytest.raises(BlockTooLarge):
            await exports.record(Record(ITEM, {"text": "x" * MOST_BLOCK}))


async def test_too_large_an_export_can_not_be_fulfilled(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.objects.LARGEST", 100_000)
    async with export(store, Memory()) as exports:
        await exports.begin()
        with pytest.raises(CannotFulfil, match="export_too_large"):
            await one_file(exports, b"x" * 200_000)


async def test_who_gets_no_turn_to_grow_comes_again(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.connectors.host.exports.TURN_WITHIN", 0.01)
    turns = asyncio.Semaphore(1)
    place = Place(store, turns)
    async with AttemptExports(place, TASK, 1, KEY, Memory()) as first:
        await first.begin()
        await one_file(first, b"x" * 2_000_000)
        async with AttemptExports(place, TASK, 2, KEY, Memory()) as second:
            await second.begin()
            await one_file(second, b"small")
            with pytest.raises(RetryLater, match="exports_busy"):
                await one_file(second, b"x" * 2_000_000)
    assert not turns.locked(), "a turn was not given back"


def subject(key: str | None) -> SealedSubject:
    return SealedSubject(task=TASK, identities=(), export_key=key)


@pytest.mark.parametrize("padding", ["", "="])
def test_the_key_of_a_seal_is_taken_with_and_without_padding(padding: str) -> None:
    told = base64.urlsafe_b64encode(KEY).decode().rstrip("=") + padding
    assert _key(subject(told)) == KEY


@pytest.mark.parametrize("told", [None, "A" * 44, "é" * 43, "!" * 43])
def test_a_seal_without_a_good_key_is_broken(told: str | None) -> None:
    with pytest.raises(BrokenSeal):
        _key(subject(told))
