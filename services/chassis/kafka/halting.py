"""Counts the proven records that failed in a row, and says when a consumer has to halt rather than put more aside."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from services.chassis.kafka.decoding import Believed, Decoded, Refused
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries

SQL = Queries.load(__package__, "halting.sql")


class Row:
    """The failures of one consumer since a record last went through, by the processor that proved them.

    A bad deploy fails whoever writes, and must halt; a host that went wrong fails alone, and must not halt the reader
    of everybody else. So where several may write, each counts for half of the limit at most.
    """

    def __init__(self, consumer: str, limit: int, senders: Callable[[], Collection[str]] | None) -> None:
        """Count for `consumer` up to `limit`; `senders` returns who may write what it reads, None means one alone."""
        self._consumer = consumer
        self._limit = limit
        self._senders = senders
        self._by: Counter[str] = Counter()
        self._known = False

    def too_long_at(self, decoded: Sequence[Decoded]) -> int | None:
        """Return at which of `decoded` the row reaches the limit, if it does; what was not refused went through."""
        row = Counter(self._by)
        for index, one in enumerate(decoded):
            if isinstance(one, Believed):
                row.clear()
            elif isinstance(one, Refused) and one.sender is not None:
                row[one.sender] += 1
                if self.counted(row) >= self._limit:
                    return index
        return None

    def counted(self, row: Counter[str] | None = None) -> int:
        """Return how many failures count."""
        several = self._senders is not None and len(self._senders()) > 1
        most = max(1, self._limit // 2) if several else self._limit
        return sum(min(most, failures) for failures in (self._by if row is None else row).values())

    async def read(self, connection: Connection) -> bool:
        """Learn what sisters of this process counted; return whether one of them, or this, halted the consumer."""
        rows = await connection.fetch(SQL["row"], self._consumer)
        self._by = Counter({row["sender"]: row["failures"] for row in rows if row["sender"] is not None})
        return any(row["halted_at"] is not None for row in rows)

    async def write(self, connection: Connection, decoded: Sequence[Decoded]) -> None:
        """Note what became of `decoded`, in the transaction that dealt with it."""
        good = [index for index, one in enumerate(decoded) if isinstance(one, Believed)]
        since = decoded[good[-1] + 1 :] if good else decoded
        failed = Counter(one.sender for one in since if isinstance(one, Refused) and one.sender is not None)
        if good and (self._by or not self._known):
            await connection.execute(SQL["went_through"], self._consumer)
            self._by.clear()
            self._known = True
        if failed:
            await connection.execute(SQL["failed"], self._consumer, list(failed), list(failed.values()))
            self._by.update(failed)

    async def halt(self, connection: Connection, reason: str) -> None:
        """Stop the consumer until an operator resumes it."""
        await connection.execute(SQL["halt"], self._consumer, reason)
