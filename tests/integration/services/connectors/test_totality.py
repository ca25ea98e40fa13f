"""Golden histories of what a connector host is told end as they once did, doubled, delayed and in any order."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ids
from contracts.seal import SealedIdentity, SealedSubject
from contracts.topics import MESSAGES, TASKS
from habeas.vocabulary import IdentityType
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
from services.connectors.host.accept import Accept
from services.connectors.host.enrolment import Enrolment
from services.connectors.host.reports import Reports
from services.connectors.host.served import Served
from services.connectors.host.worker import Worker
from tests.integration.services.connectors.vendor import Records, Vendor, kind
from tests.integration.services.histories import SEEDED, History, Post, Told, any_post, histories
from tests.waiting import until

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SECRET = bytes(range(32))
KEYS = ProcessorKeys.from_secret("crm", 1, SECRET)
HISTORIES = histories("connectors")
REPORTED = ("task.settled", "task.unsealable")  # what tells of how it ended


class Desk:
    """A host without folders and broker: its consumer by hand, and its worker when it is told to."""

    def __init__(self, database: Database, served: Served, vendor: Vendor) -> None:
        self.database = database
        self.vendor = vendor
        self._served = {served.id: served}
        self._clock = ManualClock(NOW)
        self._composer = Composer(source="connectors", namespace="")
        self._post = self._reader()
        self._said: dict[tuple[str, int], Outgoing] = {}

    def served(self) -> Mapping[str, Served]:
        """Be the roster."""
        return self._served

    async def bring(self, batch: list[Told], task: str) -> None:
        """Let the host take a batch about `task`."""
        await self._post.bring([self._record(one, task) for one in batch])

    async def work(self) -> None:
        """Let a worker do all that is due."""
        working = asyncio.create_task(self._worker().run())
        try:
            await until(self._nothing_is_open)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def stands(self, task: str) -> dict[str, Any]:
        """Return what the host remembers of `task`, what it changed at the vendor and what it said."""
        (row,) = await self._rows("SELECT * FROM tasks WHERE id = $1", task)
        reports: dict[str, set[int]] = defaultdict(set)
        for one in await self._rows("SELECT headers, value FROM outbox WHERE key = $1", row["request_id"]):
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
            "reports": {name: sorted(numbers) for name, numbers in reports.items() if name in REPORTED},
        }

    async def dead_letters(self) -> int:
        """Return how many records were put aside."""
        return len(await self._rows("SELECT id FROM dead_letters"))

    def _record(self, one: Told, task: str) -> Outgoing:
        if (task, one.number) not in self._said:
            self._said[task, one.number] = self._compose(one, task)
        return self._said[task, one.number]

    def _compose(self, one: Told, task: str) -> Outgoing:
        request = ids.derived("req", 1_700_000_000_000, hashlib.sha256(task.encode()).digest())
        named = {"livemode": True, "task_id": task, "request_id": request, "processor": "crm", "client_id": CLIENT}
        fields: dict[str, Any] = {**named, **one.body}
        if fields.get("sealed") == "$seal":
            identity = SealedIdentity(type=IdentityType.CUSTOMER_ID, value=customer_of(task))
            fields["sealed"] = seal(KEYS, SealedSubject(task=task, identities=(identity,)))
        body = MESSAGES[one.type].model_validate(fields)
        return self._composer.compose(
            TASKS, body, key=request, keys=KEYS, event_id=ids.new("evt"), subject=request, at=NOW
        )

    def _reader(self) -> Post:
        topic = TASKS.named("", "crm")
        reports = Reports(self._composer, self._clock)
        handler = Accept(
            "crm",
            keys=lambda: KEYS,
            reports=reports,
            clock=self._clock,
            hands=self._worker(),
            due=lambda: None,
            reported=lambda: None,
        )
        return Post(
            Taker(
                "tasks.crm",
                handler,
                decoder=Decoder({topic: TASKS}, FixedKeys([KEYS])),
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
            reports=Reports(self._composer, self._clock),
            keys=LocalKeys(SECRET),
            clock=self._clock,
            instance=0,
            lease_seconds=30.0,
            finish_within=5.0,
            wake=Wake(),
            reported=Wake(),
        )

    async def _nothing_is_open(self) -> bool:
        return not await self._rows("SELECT id FROM tasks WHERE state = 'open'")

    async def _rows(self, query: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))


CLIENT = ids.new("cli")


def customer_of(task: str) -> str:
    """Return whom a task concerns; the vendor holds one record of everybody, named like its owner."""
    return f"c-{task[-10:]}"


@pytest.fixture
async def desk(connectors_url: str, namespace: str) -> AsyncIterator[Desk]:
    vendor = Records.VENDORS[namespace] = Vendor()
    vendor.gate.set()
    vendor.after.set()
    database = await Database.open(connectors_url, name="test", size=4)
    served = await Served.start(Enrolment("crm", "records", (KEYS,), {"vendor": namespace}), kind())
    yield Desk(database, served, vendor)
    await served.close(after=1.0)
    await database.close()


async def lived(desk: Desk, history: History, batches: list[list[Told]]) -> dict[str, Any]:
    """Bring `batches` about a new task and let it be worked on; return how it stands."""
    task = ids.new("tsk")
    desk.vendor.records[customer_of(task)] = [customer_of(task)]
    for place, batch in enumerate(batches, start=1):
        await desk.bring(batch, task)
        if place == history.worked:
            await desk.work()
    await desk.work()
    assert await desk.dead_letters() == 0
    return await desk.stands(task)


def same(found: dict[str, Any], ends: dict[str, Any]) -> None:
    """Compare what the golden end speaks of."""
    seen = {name: found[name] for name in ends}
    seen["task"] = {name: found["task"][name] for name in ends["task"]}
    assert seen == ends


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
async def test_a_history_ends_as_it_did(desk: Desk, history: History) -> None:
    same(await lived(desk, history, history.in_order), history.ends)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
@SEEDED
@given(data=st.data())
async def test_however_it_is_delivered(desk: Desk, history: History, data: st.DataObject) -> None:
    found = await lived(desk, history, data.draw(any_post(history)))
    ends = {**history.ends}
    if "reports" in ends:  # it may have been asked fewer times before it answered, but it says so to whoever asked last
        ends["reports"] = {name: numbers[-1:] for name, numbers in ends["reports"].items()}
        found["reports"] = {name: numbers[-1:] for name, numbers in found["reports"].items()}
    same(found, ends)
