"""A dead letter is kept as long as it was promised and no longer, and nobody reads it without the key."""

from dataclasses import dataclass, field

import pytest

from services.chassis.crypto.at_rest import Undecryptable
from services.chassis.dead_letters import COMMAND_LINE, SQL, DeadLetters
from services.chassis.kafka.decoding import Refused
from services.chassis.postgres.pool import Database

SECRET = b"d" * 32


@dataclass
class Record:
    """A record as a consumer got it."""

    offset: int
    topic: str = "habeas.reports.v1"
    partition: int = 0
    key: bytes | None = b"jane@example.com"
    value: bytes | None = b'{"email": "jane@example.com"}'
    headers: list[tuple[str, bytes | None]] = field(default_factory=lambda: [("who", b"jane@example.com")])


async def put_aside(database: Database, letters: DeadLetters, *records: Record) -> None:
    async with database.transaction() as connection:
        await letters.add(connection, "probe", [Refused(one, "no_proof", proven=False) for one in records])


async def kept(database: Database) -> list[int]:
    """Return the offsets of what is kept."""
    async with database.connection() as connection:
        return [row["offset"] for row in await connection.fetch(SQL["page"], None, None, 100)]


async def expire(database: Database) -> int:
    async with database.transaction() as connection:
        return await DeadLetters(SECRET, days=1).expire(connection)


async def test_what_has_passed_its_time_goes_and_the_rest_stays(probe_database: Database) -> None:
    await put_aside(probe_database, DeadLetters(SECRET, days=-0.001), Record(1), Record(2))
    await put_aside(probe_database, DeadLetters(SECRET, days=0.001), Record(3))
    await put_aside(probe_database, DeadLetters(SECRET, days=30), Record(4))
    assert await kept(probe_database) == [4, 3, 2, 1]
    assert await expire(probe_database) == 2
    assert await kept(probe_database) == [4, 3]
    assert await expire(probe_database) == 0


@pytest.mark.parametrize("state", ["redriven", "discarded"])
async def test_what_was_dealt_with_goes_at_its_time_too(state: str, probe_database: Database) -> None:
    letters = DeadLetters(SECRET, days=-0.001)
    await put_aside(probe_database, letters, Record(1))
    await put_aside(probe_database, DeadLetters(SECRET, days=1), Record(2))
    async with probe_database.transaction() as connection:
        for row in await connection.fetch(SQL["page"], None, None, 100):
            done = letters.redrive if state == "redriven" else letters.discard
            assert await done(connection, row["id"], actor=COMMAND_LINE)
    assert await expire(probe_database) == 1
    assert await kept(probe_database) == [2]


@pytest.mark.parametrize("days", [7, 0.5])
async def test_a_letter_keeps_to_the_days_that_it_was_written_with(days: float, probe_database: Database) -> None:
    await put_aside(probe_database, DeadLetters(SECRET, days=days), Record(1))
    async with probe_database.connection() as connection:
        lives = await connection.fetchval("SELECT extract(epoch FROM expires_at - at) / 86400 FROM dead_letters")
    assert float(lives) == days


async def test_a_letter_comes_back_as_it_came(probe_database: Database) -> None:
    record = Record(1, key=b"\xff", value=None, headers=[("null", None), ("who", b"\x00"), ("who", b"again")])
    await put_aside(probe_database, DeadLetters(SECRET, days=1), record)
    async with probe_database.connection() as connection:
        letter = DeadLetters(SECRET, days=1).open(await connection.fetchrow("SELECT * FROM dead_letters"))
    assert (letter.topic, letter.key, letter.value) == (record.topic, record.key, record.value)
    assert list(letter.headers) == record.headers


async def test_nobody_reads_a_letter_without_its_key(probe_database: Database) -> None:
    await put_aside(probe_database, DeadLetters(SECRET, days=1), Record(1))
    async with probe_database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM dead_letters")
        other = DeadLetters(b"e" * 32, days=1)
        with pytest.raises(Undecryptable):
            other.open(row)
        assert not await other.redrive(connection, row["id"], actor=COMMAND_LINE)
    assert b"jane" not in row["sealed"]
    assert "jane" not in str(dict(row))


async def test_a_letter_does_not_open_in_another_one_s_place(probe_database: Database) -> None:
    letters = DeadLetters(SECRET, days=1)
    await put_aside(probe_database, letters, Record(1), Record(2))
    async with probe_database.connection() as connection:
        await connection.execute(
            'UPDATE dead_letters SET sealed = (SELECT sealed FROM dead_letters WHERE "offset" = 1) WHERE "offset" = 2'
        )
        with pytest.raises(Undecryptable):
            letters.open(await connection.fetchrow('SELECT * FROM dead_letters WHERE "offset" = 2'))
