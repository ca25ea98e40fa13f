"""Leases: what only one process may do is done by whoever holds its row, and the epoch tells an old holder off."""

from dataclasses import dataclass

from services.chassis.postgres.pool import Database

_TAKE = """
INSERT INTO leases AS held (name, holder, epoch, expires_at)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder,
    epoch = held.epoch + (held.holder <> excluded.holder)::int,
    expires_at = excluded.expires_at
WHERE held.holder = excluded.holder OR held.expires_at < clock_timestamp()
RETURNING epoch
"""
_RELEASE = "UPDATE leases SET expires_at = clock_timestamp() WHERE name = $1 AND holder = $2"


@dataclass(slots=True)
class Lease:
    """One row in `leases`. An advisory lock would be held for ever by a process that was stopped; a row expires."""

    database: Database
    name: str
    holder: str
    seconds: float = 5.0
    epoch: int = 0

    async def hold(self) -> bool:
        """Take or prolong it for `seconds` of the database's clock; False while somebody else has it."""
        async with self.database.connection() as connection:
            epoch = await connection.fetchval(_TAKE, self.name, self.holder, self.seconds)
        self.epoch = epoch or 0
        return epoch is not None

    async def release(self) -> None:
        """Let the next one have it at once."""
        async with self.database.connection() as connection:
            await connection.execute(_RELEASE, self.name, self.holder)
        self.epoch = 0
