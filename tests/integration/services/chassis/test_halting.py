"""A consumer that fails at everybody's records halts; one that fails at a single sender's goes on for the others."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest
from aiokafka import TopicPartition

from contracts.message import Message
from contracts.topics import REPORTS
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.dead_letters import SQL, DeadLetters
from services.chassis.kafka.consumer import Poison, Taker, Verdict
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.incoming import Incoming
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Connection, Database
from tests.integration.services.chassis.conftest import KEYS, Compose

FILES = ProcessorKeys.from_secret("files", 1, b"f" * 32)
LIMIT = 20


@dataclass(frozen=True)
class Record:
    """A record as aiokafka hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]


@dataclass
class Polling:
    """A consumer that remembers where it was sent."""

    committed: int = 0
    position: int = 0

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        (self.committed,) = offsets.values()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.position = offset


@dataclass
class Reader:
    """A taker on a database, fed by hand."""

    database: Database
    compose: Compose
    topic: str
    poisons: Callable[[Incoming[Message]], bool] = lambda _: True
    counts: bool = True
    senders: Callable[[], Collection[str]] | None = None
    polling: Polling = field(default_factory=Polling)
    offset: int = 0
    at_once: bool = True
    rounds: int = 0

    async def handle(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        self.rounds += 1
        if wrong := [Verdict(index, "no_fit", self.counts) for index, one in enumerate(batch) if self.poisons(one)]:
            raise Poison(*(wrong if self.at_once else wrong[:1]))
        await connection.execute(
            "INSERT INTO seen (event_id, key) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING",
            [one.event_id for one in batch],
            [one.key for one in batch],
        )

    def taker(self) -> Taker:
        keys = FixedKeys([KEYS, FILES])
        return Taker(
            "probe",
            self.handle,
            decoder=Decoder({self.topic: REPORTS}, keys),
            refresh=keys.refresh,
            database=self.database,
            dead_letters=DeadLetters(b"d" * 32, days=1),
            halt_after=LIMIT,
            senders=self.senders,
        )

    def records(self, messages: Sequence[Outgoing]) -> list[Record]:
        begin, self.offset = self.offset, self.offset + len(messages)
        return [
            Record(
                one.topic, 0, begin + at, one.key.encode(), one.value, [(n, v.encode()) for n, v in one.headers.items()]
            )
            for at, one in enumerate(messages)
        ]

    async def take(self, messages: Sequence[Outgoing]) -> None:
        await self.taker().take(self.polling, self.records(messages))

    async def count(self, query: str) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval(query))

    async def dead(self) -> int:
        return await self.count("SELECT count(*) FROM dead_letters")

    async def seen(self) -> int:
        return await self.count("SELECT count(*) FROM seen")

    async def halted(self) -> bool:
        return await self.count("SELECT count(*) FROM consumers WHERE halted_at IS NOT NULL") == 1


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def back(self: Taker, consumer: Polling, records: Sequence[Record], *, pause: float) -> None:
        await original(self, consumer, records, pause=0)

    original: Callable[..., Awaitable[None]] = Taker._back
    monkeypatch.setattr(Taker, "_back", back)


@pytest.fixture
def reader(probe_database: Database, compose: Compose, namespace: str) -> Reader:
    return Reader(probe_database, compose, REPORTS.named(namespace))


def of_files(reader: Reader, count: int) -> list[Outgoing]:
    compose = Compose(reader.compose.namespace, FILES)
    return [compose.settled(processor="files") for _ in range(count)]


def of_crm(reader: Reader, count: int) -> list[Outgoing]:
    return [reader.compose.settled() for _ in range(count)]


def malformed(reader: Reader, message: Outgoing) -> Outgoing:
    """Return it with a body that is none, and a proof that holds."""
    return reader.compose.proven(replace(message, value=b"{}"))


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_batch_that_is_poison_throughout_halts_at_the_limit_and_is_kept_for_later(
    reader: Reader, at_once: bool
) -> None:
    reader.at_once = at_once
    await reader.take(of_crm(reader, 500))
    assert await reader.halted()
    assert await reader.dead() == LIMIT - 1
    assert (reader.polling.committed, reader.polling.position) == (LIMIT - 1, LIMIT - 1)


async def test_a_batch_of_proven_nonsense_halts_at_the_limit(reader: Reader) -> None:
    await reader.take([malformed(reader, one) for one in of_crm(reader, 500)])
    assert await reader.halted()
    assert await reader.dead() == LIMIT - 1


async def test_the_row_goes_on_from_batch_to_batch_and_over_a_restart(reader: Reader) -> None:
    for _ in range(LIMIT - 1):
        await reader.take(of_crm(reader, 1))
    assert not await reader.halted()
    await reader.take(of_crm(reader, 1))
    assert await reader.halted()


async def test_a_record_that_goes_through_ends_the_row(reader: Reader) -> None:
    messages = of_crm(reader, 100)
    good = {one.headers["ce_id"] for one in messages[LIMIT - 2 :: LIMIT - 1]}
    reader.poisons = lambda one: one.event_id not in good
    await reader.take(messages)
    await reader.take(of_crm(reader, LIMIT - 5 - 1))
    assert not await reader.halted()
    assert await reader.seen() == len(good)
    await reader.take(of_crm(reader, 1))
    assert await reader.halted()


async def test_resuming_begins_a_new_row(reader: Reader) -> None:
    await reader.take(of_crm(reader, 50))
    async with reader.database.connection() as connection:
        assert await connection.fetchval(SQL["resume"], "probe") == "probe"
    await reader.take(of_crm(reader, LIMIT - 1))
    assert not await reader.halted()


async def test_one_sender_of_several_cannot_halt_the_reader_of_all(reader: Reader) -> None:
    reader.senders = lambda: {"crm-eu", "files"}
    reader.poisons = lambda one: one.kid == FILES.kid
    for _ in range(3):
        await reader.take(of_files(reader, 100))
    await reader.take(of_crm(reader, 1))
    assert not await reader.halted()
    assert (await reader.dead(), await reader.seen()) == (300, 1)


async def test_a_failure_at_every_sender_halts(reader: Reader) -> None:
    reader.senders = lambda: {"crm-eu", "files"}
    await reader.take(of_files(reader, 100))
    await reader.take(of_crm(reader, 100))
    assert await reader.halted()
    assert await reader.dead() == 100 + LIMIT // 2 - 1


async def test_records_that_our_rows_know_nothing_of_halt_nobody(reader: Reader) -> None:
    reader.counts = False
    await reader.take(of_crm(reader, 60))
    assert not await reader.halted()
    assert await reader.dead() == 60
    assert reader.polling.committed == 60
    assert reader.rounds == 1
