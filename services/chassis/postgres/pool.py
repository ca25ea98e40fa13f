"""The pool of connections to a service's own schema: every query has a timeout, every wait an end."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.chassis.log import describe, get_logger

log = get_logger(__name__)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

COMMAND_TIMEOUT = 30.0
CONNECT_TIMEOUT = 5.0
# A transaction that waits for its client this long is a stopped process: its locks must not outlive its lease.
IDLE_IN_TRANSACTION_MS = 20_000
STATEMENT_MS = 25_000

# What passes by itself once the server is back: connections, serialisation, deadlocks, shutdown, out of slots.
TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a connection is cut in the middle of a reply
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    OSError,
    TimeoutError,
)


class _LeanConnection(asyncpg.Connection):
    """A connection that is not reset on release: nothing leaves session state behind, and a reset is a round trip."""

    def get_reset_query(self) -> str:
        """Return nothing to run."""
        return ""


class Database:
    """A pool with a service's role. Replies are lost and servers restart: callers treat `TRANSIENT` as "not yet"."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Wrap a pool; use `open`."""
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, name: str, size: int = 6) -> "Database":
        """Connect, waiting for PostgreSQL as long as it takes (logged once); `name` is shown in pg_stat_activity."""
        delay, said = 0.1, False
        while True:
            try:
                return cls(await _create(url, name, size))
            except (
                *TRANSIENT,
                asyncpg.InvalidCatalogNameError,
                asyncpg.InvalidAuthorizationSpecificationError,
            ) as error:
                if not said:
                    log.warning("postgres.waited_for", error=describe(error))
                    said = True
            await asyncio.sleep(delay * (0.5 + random.random()))  # noqa: S311  # jitter, not a secret
            delay = min(delay * 2, 2.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection."""
        async with self._pool.acquire(timeout=CONNECT_TIMEOUT) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction: commits at the end of the block, rolls back on an exception."""
        async with self._pool.acquire(timeout=CONNECT_TIMEOUT) as connection, connection.transaction():
            yield connection

    async def ping(self) -> None:
        """Prove that the server answers and takes writes."""
        async with self.connection() as connection:
            if await connection.fetchval("SELECT pg_is_in_recovery()", timeout=CONNECT_TIMEOUT):
                raise asyncpg.ReadOnlySQLTransactionError

    async def close(self) -> None:
        """Close within a few seconds, whatever the server does."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._pool.close()
        except (TimeoutError, *TRANSIENT):
            self._pool.terminate()


@asynccontextmanager
async def lone_connection(url: str, *, name: str) -> AsyncIterator[Connection]:
    """Lend a connection of one's own, for a single piece of work outside a service; its waits end like a pool's."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        url,
        command_timeout=COMMAND_TIMEOUT,
        timeout=CONNECT_TIMEOUT,
        server_settings=_settings(name),
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT)


async def _create(url: str, name: str, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        connection_class=_LeanConnection,
        command_timeout=COMMAND_TIMEOUT,
        timeout=CONNECT_TIMEOUT,
        max_inactive_connection_lifetime=300.0,
        target_session_attrs="read-write",
        server_settings=_settings(name),
    )


def _settings(name: str) -> dict[str, str]:
    return {
        "application_name": name,
        "statement_timeout": str(STATEMENT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        "timezone": "UTC",
        "jit": "off",
        # Every statement finds rows by keys. Statistics of a queue are of another hour: where it was empty then,
        # reading all of it, or hashing a whole table for a batch, looks cheap.
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
    }
