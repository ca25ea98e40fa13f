"""Stores filed requests, many in one transaction, and answers each only when it is committed."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

from services.chassis.faultpoints import faultpoint
from services.chassis.log import describe, get_logger
from services.chassis.postgres.outbox import append
from services.chassis.postgres.pool import TRANSIENT, Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.prepare_filing import Filing

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "filing.sql")

MAX_WAITING = 5_000
_TRIES = 3
_CROSSED = ("40001", "40P01")  # serialisation failure, deadlock: at once again is right
# In the order of the parameters of the query `file`.
_COLUMNS = tuple(
    attrgetter(name)
    for name in (
        "id", "case_id", "own_case", "client_id", "livemode", "right", "state", "channel", "requester_relation",
        "identity_check", "language", "country", "idempotency_digest", "body_digest", "received_at", "created_at",
        "due_on", "due_at", "timeline_hash", "traceparent", "event_id", "metadata", "wrapped", "sealed",
    )
)  # fmt: skip


class KeyReused(Exception):
    """The idempotency key stands for another body already."""


class CaseUnknown(Exception):
    """The case that the body names does not exist, or is another client's."""


class Overloaded(Exception):
    """More filings wait than can be stored soon: the caller should come again."""


@dataclass(frozen=True, slots=True)
class Filed:
    """The request that a filing stands for; `replayed` when an earlier call had made it."""

    request_id: str
    replayed: bool


Result: TypeAlias = Filed | Exception
_Waiting: TypeAlias = tuple[Filing, "asyncio.Future[Filed]"]
_Before: TypeAlias = dict[tuple[str, bool, bytes], tuple[str, bytes]]


class Filer:
    """Collects filings while a transaction is under way and stores them in the next: its size follows the load."""

    def __init__(self, deps: Dependencies) -> None:
        """Store in the database of `deps`, at most `settings.batch` in one transaction."""
        self._deps = deps
        self._waiting: list[_Waiting] = []
        self._storing: asyncio.Task[None] | None = None

    async def file(self, filing: Filing) -> Filed:
        """Return once it is committed; raise `KeyReused`, `CaseUnknown`, `Overloaded` or what the database raised."""
        (result,) = await self.file_many([filing])
        if isinstance(result, Exception):
            raise result
        return result

    async def file_many(self, filings: Sequence[Filing]) -> list[Result]:
        """Return what became of each; raise `Overloaded` before any is stored."""
        if len(self._waiting) + len(filings) > MAX_WAITING:
            raise Overloaded
        futures = [self._enqueue(filing) for filing in filings]
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all(), name="filing")
        results = await asyncio.gather(*futures, return_exceptions=True)
        return [_expected(result) for result in results]

    def _enqueue(self, filing: Filing) -> "asyncio.Future[Filed]":
        future: asyncio.Future[Filed] = asyncio.get_running_loop().create_future()
        self._waiting.append((filing, future))
        return future

    async def _store_all(self) -> None:
        await asyncio.sleep(0)  # lets everything that arrived together into the first transaction
        while self._waiting:
            batch = self._waiting[: self._deps.settings.batch]
            del self._waiting[: len(batch)]
            try:
                results = await self._store([filing for filing, _ in batch])
            except BaseException as error:
                _settle(batch, [_as_exception(error)] * len(batch))
                raise
            _settle(batch, results)

    async def _store(self, batch: Sequence[Filing]) -> Sequence[Result]:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._store_once(batch)
            except TRANSIENT as error:
                if tries == _TRIES or getattr(error, "sqlstate", None) not in _CROSSED:
                    return [error] * len(batch)
            except Exception as error:  # noqa: BLE001  # whichever filing it was, its neighbours must not fail with it
                log.warning("filing.failed", error=describe(error), count=len(batch))
                if len(batch) == 1:
                    return [error]
                return [result for filing in batch for result in await self._store([filing])]

    async def _store_once(self, batch: Sequence[Filing]) -> list[Result]:
        async with self._deps.database.transaction() as connection:
            readers = [(one.id, blind) for one in batch for blind in one.reads]
            rows = await connection.fetch(
                SQL["file"],
                *([column(one) for one in batch] for column in _COLUMNS),
                [request for request, _ in readers],
                [blind for _, blind in readers],
            )
            won = {row["id"] for row in rows}
            lost = [one for one in batch if one.id not in won]
            before = await _filed_before(connection, lost) if lost else {}
            await append(connection, [one.fact for one in batch if one.id in won])
            faultpoint("filing.before_commit")
        faultpoint("filing.committed")
        if won:
            self._deps.wakes.planner.set()
            self._deps.wakes.relay.set()
        return [Filed(one.id, replayed=False) if one.id in won else _lost(one, before) for one in batch]


async def _filed_before(connection: Connection, lost: Sequence[Filing]) -> _Before:
    rows = await connection.fetch(
        SQL["filed_before"],
        [one.client_id for one in lost],
        [one.livemode for one in lost],
        [one.idempotency_digest for one in lost],
    )
    return {
        (row["client_id"], row["livemode"], row["idempotency_digest"]): (row["id"], row["body_digest"]) for row in rows
    }


def _lost(filing: Filing, before: _Before) -> Result:
    """Say what stands in the way of a filing that was not inserted."""
    earlier = before.get((filing.client_id, filing.livemode, filing.idempotency_digest))
    if earlier is None:
        return CaseUnknown()
    request_id, body_digest = earlier
    if not hmac.compare_digest(body_digest, filing.body_digest):
        return KeyReused()
    # Its own row: the reply to the COMMIT was lost and the transaction was tried again.
    return Filed(request_id, replayed=request_id != filing.id)


def _settle(batch: Sequence[_Waiting], results: Sequence[Result]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if future.done():
            continue  # its caller hung up
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _expected(result: Filed | BaseException) -> Result:
    if isinstance(result, Exception | Filed):
        return result
    raise result


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else ConnectionError("the service is stopping")
