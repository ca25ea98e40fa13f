"""Every wait on PostgreSQL has an end, on a connection of a pool and on one that stands alone."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest

from services.chassis.postgres import pool
from services.chassis.postgres.pool import TRANSIENT, Connection, Database, lone_connection

Lend = Callable[[str], AbstractAsyncContextManager[Connection]]

# What PostgreSQL itself shows of a setting, by what the code says.
WANTED = {
    "statement_timeout": "25s",
    "idle_in_transaction_session_timeout": "20s",
    "TimeZone": "UTC",
    "application_name": "probe",
}


@asynccontextmanager
async def pooled(url: str) -> AsyncIterator[Connection]:
    database = await Database.open(url, name="probe", size=1)
    async with database.connection() as connection:
        yield connection
    await database.close()


def lone(url: str) -> AbstractAsyncContextManager[Connection]:
    return lone_connection(url, name="probe")


BOTH = pytest.mark.parametrize("lend", [pooled, lone])


@BOTH
async def test_a_connection_s_waits_have_an_end(lend: Lend, probe_url: str) -> None:
    async with lend(probe_url) as connection:
        assert {name: await connection.fetchval("SELECT current_setting($1)", name) for name in WANTED} == WANTED


@BOTH
async def test_a_statement_that_takes_too_long_is_ended_and_may_be_tried_again(
    lend: Lend, probe_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "STATEMENT_MS", 50)
    async with lend(probe_url) as connection:
        with pytest.raises(asyncpg.QueryCanceledError) as ended:
            await connection.execute("SELECT pg_sleep(60)")
        assert await connection.fetchval("SELECT 1") == 1
    assert isinstance(ended.value, TRANSIENT)


@BOTH
async def test_a_transaction_whose_client_stopped_lets_go_of_its_locks(
    lend: Lend, probe_url: str, probe_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_IN_TRANSACTION_MS", 50)
    async with probe_database.connection() as other:
        await other.execute("INSERT INTO seen (event_id, key) VALUES ('evt', 'k')")
        async with lend(probe_url) as connection:
            await connection.transaction().start()
            await connection.execute("SELECT FROM seen FOR UPDATE")
            await other.execute("DELETE FROM seen", timeout=20)  # waits for the lock, and gets it
            with pytest.raises(TRANSIENT):
                await connection.execute("SELECT 1")


async def test_a_row_s_time_does_not_depend_on_the_server_s_zone(probe_database: Database) -> None:
    async with probe_database.connection() as connection:
        assert await connection.fetchval("SELECT '2026-07-01T00:00:00Z'::timestamptz::text") == "2026-07-01 00:00:00+00"


async def test_a_failure_rolls_back_what_the_block_wrote(probe_database: Database) -> None:
    async def broken() -> None:
        async with probe_database.transaction() as connection:
            await connection.execute("INSERT INTO seen (event_id, key) VALUES ('evt', 'k')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()
    async with probe_database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM seen") == 0
