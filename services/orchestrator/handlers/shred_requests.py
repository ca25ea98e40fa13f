"""Deletes the keys of requests that ended long enough ago: what concerned the subject can not be read any more."""

from datetime import timedelta

from services.chassis.log import get_logger
from services.chassis.postgres.queries import Queries
from services.orchestrator.handlers.dependencies import Dependencies

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "upkeep.sql")


class Upkeep:
    """Slow loops' steps."""

    def __init__(self, deps: Dependencies) -> None:
        """Work with `deps`."""
        self._deps = deps

    async def shred(self) -> int:
        """Shred one batch of ended requests; return 0, since there is no hurry for the next."""
        before = self._deps.clock.now() - timedelta(seconds=self._deps.settings.shred_after)
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(SQL["shred"], before, self._deps.settings.batch)
            await connection.execute(SQL["forget_secrets"], [row["request_id"] for row in rows])
        if rows:
            log.info("requests.shredded", count=len(rows))
        return 0

    async def mark_overdue(self) -> int:
        """Mark open requests whose due date has passed."""
        async with self._deps.database.connection() as connection:
            rows = await connection.fetch(SQL["mark_overdue"], self._deps.clock.now())
        for row in rows:
            log.error("request.overdue", request_id=row["id"])
        return 0
