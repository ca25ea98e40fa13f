"""Deletes exports that nobody may have any more; what has to go stands in the tasks' rows until it is gone."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from contracts.exports import folder_of, path_of
from services.chassis.log import get_logger
from services.chassis.objects import ObjectStore, StoreAway
from services.chassis.postgres.pool import TRANSIENT, Database
from services.chassis.postgres.queries import Queries
from services.connectors.domain.claimed import Answered

log = get_logger(__name__)
SQL = Queries.load("services.connectors.store", "exports.sql")

AT_ONCE = 50
DELETE_WITHIN = 40.0  # seconds for one task: a step that hangs longer would look stuck
LOSERS = "losers"
UNREACHABLE = "unreachable"


class Purge:
    """A loop's step: empties the folders of closed tasks, and deletes what lost attempts of settled ones left.

    A store that is away is asked again for ever. One folder that can not be emptied does not keep others waiting.
    """

    def __init__(self, database: Database, store: ObjectStore | None) -> None:
        """Delete in `store`; without one, what was to be deleted is told of until there is one again."""
        self._database = database
        self._store = store
        self._later: set[str] = set()
        self._away: StoreAway | None = None

    async def step(self) -> int:
        """Look through a batch; return how many tasks that were. Raises `StoreAway` when all that is left fails."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["to_delete"], list(self._later), AT_ONCE)
        for row in rows:
            await self._delete(row)
        if not rows and self._away is not None:
            away, self._away = self._away, None
            self._later.clear()
            raise away
        return len(rows)

    async def look_again(self, task_id: str) -> None:
        """Have the store looked through once more: an attempt that lost its lease may have finished an object.

        Without the database it stays until the task is closed.
        """
        with suppress(*TRANSIENT):
            async with self._database.connection() as connection:
                await connection.execute(SQL["look_again"], task_id)

    async def _delete(self, row: Mapping[str, str]) -> None:
        """Delete what one row says and clear it; where the store does not answer at all, give up the step."""
        try:
            async with asyncio.timeout(DELETE_WITHIN):
                await self._existing().delete_folder(folder_of(row["id"]), keep=_winner(row))
        except TimeoutError:
            raise StoreAway(UNREACHABLE) from None
        except StoreAway as error:
            if error.reason == UNREACHABLE:
                raise
            log.warning("exports.not_deleted", task_id=row["id"], reason=error.reason)
            self._away = error
            self._later.add(row["id"])
            return
        async with self._database.connection() as connection:
            await connection.execute(SQL["deleted"], row["id"], row["exports"])
        log.info("exports.deleted", task_id=row["id"], reason=row["exports"])

    def _existing(self) -> ObjectStore:
        if self._store is None:
            raise StoreAway("not_configured")
        return self._store


def _winner(row: Mapping[str, str]) -> str | None:
    """Return the path of the object that stays."""
    if row["exports"] != LOSERS:
        return None
    export = Answered.read(row["answer"], None).export
    return None if export is None else path_of(row["id"], export.attempt)
