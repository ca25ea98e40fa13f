"""Deletes the keys of requests that ended long enough ago: what concerned the subject cannot be read any more."""

from datetime import timedelta

from services.chassis.log import get_logger
from services.chassis.postgres.queries import Queries
from services.orchestrator.handlers.dependencies import Dependencies

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "upkeep.sql")

PATIENCE = 3  # times `shred_after` at most, that the key of a request waits for its completion notice to be answered


class Upkeep:
    """Slow loops' steps."""

    def __init__(self, deps: Dependencies) -> None:
        """Work with `deps`."""
        self._deps = deps

    async def shred(self) -> int:
        """Shred one batch of ended requests; return 0, since there is no hurry for the next.

        One whose answer has not gone out to the person yet is left `PATIENCE` times as long: its key opens the contact.
        """
        now, wait = self._deps.clock.now(), timedelta(seconds=self._deps.settings.shred_after)
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(SQL["shred"], now - wait, now - PATIENCE * wait, self._deps.settings.batch)
            await connection.execute(SQL["forget_secrets"], [row["request_id"] for row in rows])
        if rows:
            log.info("requests.shredded", count=len(rows))
        return 0

    async def mark_overdue(self) -> int:
        """Mark requests whose due date has passed before the person was told what became of them."""
        async with self._deps.database.connection() as connection:
            rows = await connection.fetch(SQL["mark_overdue"], self._deps.clock.now())
        for row in rows:
            log.error("request.overdue", request_id=row["id"])
        return 0
