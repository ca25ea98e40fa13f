"""The worker's heartbeat: one row that says it lives, on the database's clock; whoever falls silent is given up."""

import secrets
import time

from services.chassis.log import get_logger
from services.chassis.postgres.pool import Database
from services.chassis.postgres.queries import Queries

log = get_logger(__name__)
SQL = Queries.load("services.connectors.store", "workers.sql")


class Heartbeat:
    """The life of one worker. `worker` names it; a worker that was given up comes back under another name."""

    def __init__(self, database: Database, *, instance: int, seconds: float) -> None:
        """Live for `seconds` after each beat."""
        self._database = database
        self._instance = instance
        self.seconds = seconds
        self.worker = ""
        self._until = 0.0

    def left(self) -> float:
        """Return the seconds for which what this worker holds is surely its own."""
        return self._until - time.monotonic()

    async def beat(self) -> bool:
        """Prolong the life; False when it had been given up, and what it held is no longer its own."""
        asked = time.monotonic()
        async with self._database.connection() as connection:
            alive = await connection.fetchval(SQL["beat"], self.worker, self.seconds) if self.worker else None
        if alive is not None:
            self._until = asked + self.seconds  # counted from before the question: never longer than the row says
            return True
        was_known = bool(self.worker)
        await self._register()
        return not was_known

    async def give_up_the_silent(self) -> int:
        """Free what dead workers held; return how many tasks that were."""
        async with self._database.connection() as connection:
            freed = await connection.fetch(SQL["give_up"])
        if freed:
            log.warning("tasks.taken_over", count=len(freed))
        return len(freed)

    async def leave(self) -> None:
        """Take the worker off the list."""
        if self.worker:
            async with self._database.connection() as connection:
                await connection.execute(SQL["leave"], self.worker)
        self._until = 0.0

    async def _register(self) -> None:
        self._until = 0.0
        worker = f"{self._instance}-{secrets.token_hex(6)}"
        asked = time.monotonic()
        async with self._database.connection() as connection:
            await connection.execute(SQL["register"], worker, self.seconds)
        self.worker = worker
        self._until = asked + self.seconds
