"""An orchestrator without loops and broker: its API, its planner and dispatcher step by step, its consumers by hand."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from contracts import ids
from contracts.message import Message
from contracts.seal import SealedFindings, SealedIdentity
from contracts.topics import DELIVERIES, MESSAGES, PROCESSORS, REPORTS, Topic
from habeas.vocabulary import IdentityType
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.seal import seal
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.consumer import BatchHandler, Taker
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.outgoing import Outgoing
from services.orchestrator.domain.timeline import ORIGIN, Entry, chain
from services.orchestrator.handlers.approve_manifest import approve_manifest
from services.orchestrator.handlers.cancel_request import cancel_request
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.dispatch_tasks import Dispatcher
from services.orchestrator.handlers.follow_holds import HoldTimer
from services.orchestrator.handlers.plan_requests import Planner
from services.orchestrator.handlers.record_announcements import RecordAnnouncements
from services.orchestrator.handlers.record_deliveries import RecordDeliveries
from services.orchestrator.handlers.record_reports import RecordReports
from tests.integration.services.histories import Post, Told
from tests.integration.services.orchestrator.conftest import Api

KINDS = {"crm-eu": "hubspot", "files": "s3", "mailing": "mailing"}
MANIFESTS: dict[str, dict[str, Any]] = {
    "crm-eu": {
        "accepts": ["email", "customer_id"],
        "resolves": ["customer_id"],
        "actions": {"resolve": {}, "erase": {}, "export": {}, "rectify": {}},
        "fields": ["contact.email"],
    },
    "files": {"accepts": ["customer_id"], "actions": {"erase": {}, "export": {}}},
    "mailing": {"accepts": ["email"], "actions": {"erase": {}, "rectify": {}}, "fields": ["contact.language"]},
}
CORRECTING = {
    "corrections": [
        {"field": "contact.email", "to": "somebody.new@example.com"}, {"field": "contact.language", "to": "nl"}
    ]
}  # fmt: skip
TOPICS: dict[str, Topic] = {
    model.TYPE: topic for topic in (REPORTS, DELIVERIES, PROCESSORS) for model in topic.messages
}


class Desk:
    """Everything around one request or one processor at a time."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.deps = api.deps
        self.planner, self.dispatcher = Planner(self.deps), Dispatcher(self.deps)
        self._composer = Composer(source="tests", namespace="")
        self._posts = {
            REPORTS.name: self._post(REPORTS, RecordReports(self.deps)),
            DELIVERIES.name: self._post(DELIVERIES, RecordDeliveries(self.deps)),
            PROCESSORS.name: self._post(PROCESSORS, RecordAnnouncements(self.deps)),
        }
        self._keys = FixedKeys()
        self._enrolled: dict[str, ProcessorKeys] = {}
        self._key = ""
        self._filed = 0
        self._only: list[str] = []
        self._said: dict[tuple[str, int], Outgoing] = {}

    # What stands before a history

    async def enrol(self, processor: str, kind: str | None = None) -> None:
        """Enrol a processor, unless it is."""
        self._key = self._key or await self.api.key()
        async with self.api.client(self._key) as caller:
            body = {"id": processor, "kind": kind or KINDS[processor]}
            assert (await caller.post("/v1/processors", json=body)).is_success
        async with self.deps.database.connection() as connection:
            keys = (await Directory.read(connection, self.deps.root)).keys(processor)
        self._enrolled[processor] = keys
        self._keys.replace([self.deps.notifier, *self._enrolled.values()])

    async def only(self, processors: Sequence[str]) -> None:
        """Have these processors announced, and no others."""
        if self._only == list(processors):
            return
        for processor in processors:
            await self.enrol(processor)
            kind, more = KINDS[processor], MANIFESTS[processor]
            manifest = {"kind": kind, "version": 1, "title": processor, "owner": "tests", "country": "NL", **more}
            body = {"kind": kind, "manifest": manifest, "manifest_version": 1, "key_versions": [1]}
            await self.bring(
                [Told(0, PROCESSORS.messages[0].wire_type(), processor, {**body, "incarnation": "1", "at": iso(self)})]
            )
        await self.api.execute("DELETE FROM processors WHERE id <> ALL ($1::text[])", list(processors))
        self._only = list(processors)

    async def file(self, right: str = "erasure") -> str:
        """File a request for somebody new; return its id."""
        self._filed += 1
        email = f"somebody.{self._filed}@example.com"
        body: dict[str, Any] = {
            "right": right,
            "subject": {"identities": [{"type": "email", "value": email}], "contact": {"email": email}},
            "identity_check": {"method": "client_asserted"},
        }
        if right == "rectification":
            body["rectification"] = CORRECTING
        async with self.api.client(self._key) as caller:
            filed = await caller.post("/v1/requests", json=body, headers={"idempotency-key": email})
        assert filed.status_code == 201
        return str(filed.json()["id"])

    async def cancel(self, request: str) -> None:
        """Cancel a request."""
        async with self.deps.database.transaction() as connection:
            await cancel_request(connection, request_id=request, actor="cli_tests", deps=self.deps)

    async def followed(self, request: str, until: str) -> str:
        """Have all of a request's tasks keep something, and let that day pass; return the request that follows."""
        kept = {"category": "contact", "disposition": "retained", "count": 1, "checked": "verified", "until": until}
        body = {"dispatch_no": 1, "at": iso(self), "outcome": {"headline": "refused", "lines": [kept]}}
        for row in await self.api.rows("SELECT * FROM tasks WHERE request_id = $1", request):
            await self.bring([Told(0, "dev.habeas.task.settled.v1", name_of(row), body)], request)
        await self.rest()
        self.api.clock.advance(timedelta(days=2))
        await HoldTimer(self.deps).step()
        await self.rest()
        (found,) = await self.api.rows("SELECT id FROM requests WHERE follows = $1", request)
        return str(found["id"])

    async def approve(self, processor: str) -> None:
        """Approve a processor's pending manifest."""
        async with self.deps.database.transaction() as connection:
            await approve_manifest(connection, processor=processor, actor="cli_tests", deps=self.deps)

    # What happens

    async def rest(self) -> None:
        """Let planner and dispatcher do all that there is to do."""
        while await self.planner.step() + await self.dispatcher.step():
            pass

    async def bring(self, batch: Sequence[Told], request: str = "") -> None:
        """Let the consumers take a batch, each of them what is on its topic."""
        await self.take([await self.record(one, request) for one in batch])

    async def take(self, records: Sequence[Outgoing]) -> None:
        """Let the consumers take records as they were sent."""
        for name, post in self._posts.items():
            mine = [record for record in records if record.topic == name]
            if mine:
                await post.bring(mine)

    def keys_of(self, processor: str) -> ProcessorKeys:
        """Return the keys of an enrolled processor, which its host gets."""
        return self._enrolled[processor]

    async def sayable(self, one: Told, request: str) -> bool:
        """Whether its sender can have said it by now: nobody answers what was not sent."""
        model = MESSAGES[one.type]
        if TOPICS[model.TYPE] is DELIVERIES:
            return bool(await self._notice(request, one.about))
        if TOPICS[model.TYPE] is REPORTS:
            task = await self._task(request, one.about)
            return task is not None and task["dispatch_no"] >= one.body["dispatch_no"]
        return True

    async def record(self, one: Told, request: str) -> Outgoing:
        """Return a message as its sender put it on the wire: the same bytes however often it is brought."""
        said = (request or one.about, one.number)
        if one.number and said in self._said:
            return self._said[said]
        self._said[said] = await self._compose(one, request)
        return self._said[said]

    async def _compose(self, one: Told, request: str) -> Outgoing:
        model = MESSAGES[one.type]
        topic = TOPICS[model.TYPE]
        fields: dict[str, Any] = {"livemode": True, **one.body}
        if topic is PROCESSORS:
            processor = key = one.about
            fields["processor"] = processor
        elif topic is DELIVERIES:
            notice = await self._notice(request, one.about)
            assert notice is not None
            processor, key = "notifier", notice["case_id"]
            fields |= {"notice_id": notice["id"], "case_id": key, "request_id": request}
        else:
            task = await self._task(request, one.about)
            assert task is not None
            processor, key = task["processor"], request
            fields |= {"task_id": task["id"], "request_id": request, "processor": processor}
        keys = self.deps.notifier if topic is DELIVERIES else self._enrolled[processor]
        if fields.get("sealed") == "$findings":
            identity = SealedIdentity(type=IdentityType.CUSTOMER_ID, value=f"c-{request[-8:]}")
            fields["sealed"] = seal(keys, SealedFindings(task=fields["task_id"], identities=(identity,)))
        body: Message = model.model_validate(fields)
        digest = hashlib.sha256(f"{request or processor}/{one.number}".encode()).digest()
        event = ids.derived("evt", 1_700_000_000_000, digest)
        return self._composer.compose(
            topic, body, key=key, keys=keys, event_id=event, subject=key, at=self.deps.clock.now()
        )

    # What is there

    async def request(self, request: str) -> dict[str, Any]:
        """Return how a request stands, as far as no order of the post may change it."""
        (row,) = await self.api.rows("SELECT * FROM requests WHERE id = $1", request)
        tasks = await self.api.rows("SELECT * FROM tasks WHERE request_id = $1", request)
        notices = await self.api.rows("SELECT * FROM notices WHERE request_id = $1", request)
        open_ones = [one for one in tasks if one["state"] not in ("settled", "cancelled")]
        assert (row["total_tasks"], row["open_tasks"]) == (len(tasks), len(open_ones)), "the counters are wrong"
        return {
            "request": {
                "state": row["state"],
                "headline": headline(row["outcome"]),
                "attention": reason(row["attention"]),
            },
            "informed_at": row["informed_at"].astimezone(UTC).isoformat() if row["informed_at"] else None,
            "tasks": {name_of(one): shown(one) for one in tasks},
            "exports": {name_of(one): json.loads(one["export"])["attempt"] for one in tasks if one["export"]},
            "notices": {one["kind"]: {"state": one["state"], "reason": one["reason"]} for one in notices},
            "timeline": Counter(await self._timeline(request, row["timeline_hash"])),
            "sent": Counter(await self._sent(request, row["case_id"])),
        }

    async def processor(self, processor: str) -> dict[str, Any]:
        """Return how a processor stands."""
        (row,) = await self.api.rows("SELECT * FROM processors WHERE id = $1", processor)
        return {"state": row["state"], "manifest": row["manifest_version"], "pending": row["pending_version"]}

    async def _timeline(self, request: str, end: bytes) -> list[str]:
        """Return the types of a timeline's entries, which is whole and tells nothing twice."""
        rows = await self.api.rows("SELECT * FROM timeline WHERE request_id = $1 ORDER BY seq", request)
        events = [row["event_id"] for row in rows]
        assert len(events) == len(set(events)), f"told twice: {Counter(row['type'] for row in rows)}"
        assert reduce(chain, [entry(row) for row in rows], ORIGIN) == end == rows[-1]["hash"]
        return [row["type"] for row in rows]

    async def _sent(self, request: str, case: str) -> list[str]:
        """Return the types of what was sent about a request, one for each event."""
        rows = await self.api.rows("SELECT headers FROM outbox WHERE key IN ($1, $2)", request, case)
        told = {(one["ce_id"], one["ce_type"]) for one in (json.loads(row["headers"]) for row in rows)}
        return [kind.removeprefix("dev.habeas.").removesuffix(".v1") for _, kind in told]

    async def _task(self, request: str, about: str) -> dict[str, Any] | None:
        rows = await self.api.rows("SELECT * FROM tasks WHERE request_id = $1", request)
        return next((row for row in rows if name_of(row) == about), None)

    async def _notice(self, request: str, kind: str) -> dict[str, Any] | None:
        rows = await self.api.rows("SELECT * FROM notices WHERE request_id = $1 AND kind = $2", request, kind)
        return rows[0] if rows else None

    def _post(self, topic: Topic, handler: BatchHandler) -> Post:
        return Post(
            Taker(
                topic.name,
                handler,
                decoder=Decoder({topic.name: topic}, _Asked(self)),
                refresh=FixedKeys().refresh,
                database=self.deps.database,
                dead_letters=DeadLetters(self.deps.root.secret, days=1),
                halt_after=3,
                ended=getattr(handler, "ended", None),
            )
        )


class _Asked:
    """The keys that the desk knows by the time it is asked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, kid: str) -> ProcessorKeys | None:
        return self._desk._keys.get(kid)

    async def refresh(self) -> None:
        """Know nothing more."""


def iso(desk: Desk) -> str:
    """Return the desk's time as it is written on the wire."""
    return desk.deps.clock.now().isoformat()


def name_of(task: dict[str, Any]) -> str:
    return f"{task['processor']}/{task['action']}/{task['round']}"


def shown(task: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": task["state"],
        "phase": task["phase"],
        "attention": reason(task["attention"]),
        "dispatch_no": task["dispatch_no"],
        "headline": headline(task["outcome"]),
        "late": len(json.loads(task["late"])),
    }


def headline(outcome: str | None) -> str | None:
    return json.loads(outcome)["headline"] if outcome else None


def reason(attention: str | None) -> str | None:
    return json.loads(attention)["reason"] if attention else None


def entry(row: dict[str, Any]) -> Entry:
    """Return a row of `timeline` as it was hashed."""
    at: datetime = row["at"]
    return Entry(
        row["seq"],
        row["event_id"],
        row["type"],
        at,
        row["task_id"],
        row["processor"],
        row["actor"],
        json.loads(row["detail"]),
    )
