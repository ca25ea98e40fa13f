"""A connector host without folders and broker: its consumer by hand, and its worker when it is told to."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from contracts import ids
from contracts.outcomes import Outcome
from contracts.seal import SealedIdentity, SealedSubject
from contracts.tasks import TaskCancelled, TaskClosed, TaskDispatched
from contracts.topics import MESSAGES, TASKS
from habeas.engine import StoredItem
from habeas.sdk import Identity, Item, Result
from habeas.vocabulary import Disposition, IdentityType
from services.chassis.clock import ManualClock
from services.chassis.crypto.at_rest import LocalKeys
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.seal import seal
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.consumer import Taker
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.loops import Wake
from services.chassis.postgres.pool import Database
from services.connectors.domain.claimed import Answered, Claimed
from services.connectors.host.accept import Accept
from services.connectors.host.holds import Holds, write_holds
from services.connectors.host.reports import Reports
from services.connectors.host.served import Served
from services.connectors.host.worker import Worker
from tests.integration.services.connectors.vendor import CATEGORY, Vendor
from tests.integration.services.histories import Post, Told
from tests.waiting import until

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SECRET = bytes(range(32))
KEYS = ProcessorKeys.from_secret("crm", 1, SECRET)
REPORTED = ("task.settled", "task.unsealable")  # what tells of how it ended


class Desk:
    """A host without folders and broker: its consumer by hand, and its worker when it is told to."""

    def __init__(
        self,
        database: Database,
        served: Served,
        vendor: Vendor,
        *,
        keys: ProcessorKeys = KEYS,
        clock: ManualClock | None = None,
    ) -> None:
        self.database = database
        self._keys = keys
        self.vendor = vendor
        self._served = {served.id: served}
        self.clock = clock or ManualClock(NOW)
        self._composer = Composer(source="connectors", namespace="")
        self._post = self._reader()
        self._said: dict[tuple[str, int], Outgoing] = {}

    def served(self) -> Mapping[str, Served]:
        """Be the roster."""
        return self._served

    async def replaced(self, served: Served) -> bool:
        """Be the roster: there is no folder to look at."""
        return False

    async def take(self, records: Sequence[Outgoing]) -> None:
        """Let the host take records as they were sent."""
        if records:
            await self._post.bring(records)

    def announced(self) -> Outgoing:
        """Return what the host tells of its processor."""
        (served,) = self._served.values()
        return Reports(self._composer, self.clock).announced(served)

    async def bring(self, batch: list[Told], task: str) -> None:
        """Let the host take a batch about `task`."""
        await self._post.bring([self._record(one, task) for one in batch])

    async def work(self, *, but_for: str = "") -> None:
        """Let a worker do all that is due, until nothing is open but a task that waits for `but_for`."""

        async def over() -> bool:
            query = "SELECT id FROM tasks WHERE state = 'open' AND (holder IS NOT NULL OR reason IS DISTINCT FROM $1)"
            return not await self.rows(query, but_for)

        working = asyncio.create_task(self._worker().run())
        try:
            await until(over)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def stands(self, task: str) -> dict[str, Any]:
        """Return what the host remembers of `task`, what it changed at the vendor and what it said."""
        (row,) = await self.rows("SELECT * FROM tasks WHERE id = $1", task)
        reports: dict[str, set[int]] = defaultdict(set)
        for one in await self.rows("SELECT headers, value FROM outbox WHERE key = $1", row["request_id"]):
            reports[json.loads(one["headers"])["ce_type"].split(".", 2)[2].removesuffix(".v1")].add(
                json.loads(one["value"])["dispatch_no"]
            )
        customer = customer_of(task)
        return {
            "task": {
                "state": row["state"],
                "cancelled": row["cancelled"],
                "dispatch_no": row["dispatch_no"],
                "headline": json.loads(row["answer"])["outcome"]["headline"] if row["answer"] else None,
                "sealed": row["seal"] is not None,
            },
            "effects": self.vendor.effects.count(customer),
            "holds": len(await self.holds(earlier_of(task))),
            "reports": {name: sorted(numbers) for name, numbers in reports.items() if name in REPORTED},
        }

    async def dead_letters(self) -> int:
        """Return how many records were put aside."""
        return len(await self.rows("SELECT id FROM dead_letters"))

    def _record(self, one: Told, task: str) -> Outgoing:
        if (task, one.number) not in self._said:
            self._said[task, one.number] = self._compose(one, task)
        return self._said[task, one.number]

    async def keep(self, one: Told, earlier: str, owner: str, until: date) -> None:
        """Have the hold placed that the dispatch `one` of an earlier task would have: on what `owner` has."""
        message = self._body(one, earlier)
        assert isinstance(message, TaskDispatched)
        task = Claimed.at_once(message, cancelled=False, max_passes=3, traceparent=None)
        item = Item(owner, CATEGORY, Identity(IdentityType.CUSTOMER_ID, owner))
        result = Result(item, Disposition.RETAINED, ground="tax_law", until=until)
        holds = Holds(self.database, LocalKeys(SECRET), self.clock)
        answer = holds.with_holds(task, Answered(Outcome.of(())), [StoredItem(0, 1, item, result=result)], None)
        async with self.database.transaction() as connection:
            await write_holds(connection, [(task, answer)])

    async def holds(self, task: str) -> list[Any]:
        """Return the holds that a task placed."""
        return await self.rows("SELECT * FROM holds WHERE task_id = $1 ORDER BY ordinal", task)

    async def outcome(self, task: str) -> dict[str, Any]:
        """Return what a task came to."""
        (row,) = await self.rows("SELECT answer FROM tasks WHERE id = $1", task)
        outcome: dict[str, Any] = json.loads(row["answer"])["outcome"]
        return outcome

    def _compose(self, one: Told, task: str) -> Outgoing:
        body = self._body(one, task)
        request = body.request_id
        return self._composer.compose(
            TASKS, body, key=request, keys=self._keys, event_id=ids.new("evt"), subject=request, at=NOW
        )

    def _body(self, one: Told, task: str) -> TaskDispatched | TaskCancelled | TaskClosed:
        request = ids.derived("req", 1_700_000_000_000, hashlib.sha256(task.encode()).digest())
        named = {"livemode": True, "task_id": task, "request_id": request, "processor": "crm", "client_id": CLIENT}
        fields: dict[str, Any] = {**named, **one.body}
        if fields.get("follows") == "$earlier":
            fields["follows"] = earlier_of(task)
        if fields.get("sealed") == "$seal":
            identity = SealedIdentity(type=IdentityType.CUSTOMER_ID, value=customer_of(task))
            known = () if fields.get("follows") else (identity,)
            fields["sealed"] = seal(self._keys, SealedSubject(task=task, identities=known))
        body = MESSAGES[one.type].model_validate(fields)
        assert isinstance(body, TaskDispatched | TaskCancelled | TaskClosed)
        return body

    def _reader(self) -> Post:
        topic = TASKS.named("", "crm")
        reports = Reports(self._composer, self.clock)
        handler = Accept(
            "crm",
            keys=lambda: self._keys,
            reports=reports,
            clock=self.clock,
            hands=self._worker(),
            due=lambda: None,
            reported=lambda: None,
        )
        return Post(
            Taker(
                "tasks.crm",
                handler,
                decoder=Decoder({topic: TASKS}, FixedKeys([self._keys])),
                refresh=FixedKeys().refresh,
                database=self.database,
                dead_letters=DeadLetters(SECRET, days=1),
                halt_after=3,
                after_commit=lambda: None,
                ended=handler.ended,
            )
        )

    def _worker(self) -> Worker:
        return Worker(
            self.database,
            self,
            reports=Reports(self._composer, self.clock),
            keys=LocalKeys(SECRET),
            clock=self.clock,
            instance=0,
            lease_seconds=30.0,
            finish_within=5.0,
            failing_attention=900.0,
            wake=Wake(),
            reported=Wake(),
        )

    async def rows(self, query: str, *values: object) -> list[Any]:
        """Ask the host's database."""
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))


CLIENT = ids.new("cli")


def customer_of(task: str) -> str:
    """Return whom a task concerns; the vendor holds one record of everybody, named like its owner."""
    return f"c-{task[-10:]}"


def earlier_of(task: str) -> str:
    """Return the task that a task follows, where it follows one."""
    return ids.derived("tsk", 1_700_000_000_000, hashlib.sha256(task.encode()).digest())
