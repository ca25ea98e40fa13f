"""Says who calls: from an API key to a client, its mode and its scopes."""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from habeas.vocabulary import Scope
from services.chassis.clock import Clock
from services.chassis.postgres.pool import Database
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain import api_key

SQL = Queries.load("services.orchestrator.store", "clients.sql")

# A revoked key works at most this much longer, in every process.
REMEMBERED = 5.0
REMEMBERED_KEYS = 10_000


class Unauthenticated(Exception):
    """The caller is not known. `code` is stable and tells a developer what is wrong, not an attacker what is right."""

    def __init__(self, code: str, detail: str) -> None:
        """Take a machine word and a sentence."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what it may do."""

    key_id: str
    client_id: str
    livemode: bool
    scopes: frozenset[str]
    expires_at: datetime | None

    def may(self, scope: Scope) -> bool:
        """Whether it holds a scope."""
        return scope.value in self.scopes


class Authenticator:
    """Knows API keys; asks the database at most every few seconds for each."""

    def __init__(self, database: Database, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Look keys up in `database`; `clock` tells which have expired, `monotonic` when to ask again."""
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Principal | None]] = {}

    async def authenticate(self, authorization: str | None) -> Principal:
        """Return who holds the key of an Authorization header; raise `Unauthenticated`."""
        if authorization is None:
            raise Unauthenticated("key_missing", "Send your API key as `Authorization: Bearer hab_live_...`.")
        scheme, _, text = authorization.partition(" ")
        key = api_key.parse(text.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Unauthenticated("key_malformed", "This is no API key: it is cut off, mistyped or not of Habeas.")
        digest = key.digest
        principal = self._remembered(digest) or await self._ask_once(digest)
        if principal is None:
            raise Unauthenticated("key_unknown", "This API key does not exist or was revoked.")
        if principal.expires_at is not None and principal.expires_at <= self._clock.now():
            raise Unauthenticated("key_expired", "This API key has expired: ask for another.")
        return principal

    def _remembered(self, digest: bytes) -> Principal | None:
        known = self._known.get(digest)
        if known is None or known[0] <= self._monotonic():
            return None
        return known[1]

    async def _ask_once(self, digest: bytes) -> Principal | None:
        """Ask the database, once for all calls that wait for the same key."""
        asking = self._asking.get(digest)
        if asking is None:
            asking = asyncio.create_task(self._ask(digest))
            self._asking[digest] = asking
            asking.add_done_callback(lambda task: self._asked(digest, task))
        return await asyncio.shield(asking)

    def _asked(self, digest: bytes, asking: asyncio.Task[Principal | None]) -> None:
        self._asking.pop(digest, None)
        if not asking.cancelled():
            asking.exception()  # whoever waited has it; when all of them hung up, nobody needs it

    async def _ask(self, digest: bytes) -> Principal | None:
        asked_at = self._monotonic()
        async with self._database.connection() as connection:
            row = await connection.fetchrow(SQL["key"], digest)
            if row is None or row["revoked_at"] is not None or not hmac.compare_digest(row["digest"], digest):
                self._known.pop(digest, None)
                return None
            await connection.execute(SQL["used"], row["id"], self._clock.now())
        principal = Principal(row["id"], row["client_id"], row["livemode"], frozenset(row["scopes"]), row["expires_at"])
        self._known[digest] = (asked_at + REMEMBERED, principal)
        self._known.move_to_end(digest)
        while len(self._known) > REMEMBERED_KEYS:
            self._known.popitem(last=False)
        return principal
