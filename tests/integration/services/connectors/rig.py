"""An orchestrator's hands for these tests: enrols processors, dispatches tasks, reads reports, runs hosts."""

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts import ids
from contracts.message import Message
from contracts.processors import ProcessorAnnounced
from contracts.reports import TaskAccepted, TaskProgressed, TaskSettled, TaskUnsealable
from contracts.seal import SealedIdentity, SealedSubject
from contracts.tasks import TaskCancelled, TaskClosed, TaskDispatched
from contracts.topics import PROCESSORS, REPORTS, TASKS
from habeas.vocabulary import Action, IdentityType, Right
from services.chassis.clock import Clock, SystemClock
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.seal import seal
from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.decoding import Believed, Decoder
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Database
from services.chassis.service import Part
from services.connectors.app import Host
from services.connectors.host.catalogue import Catalogue, Kind
from services.connectors.settings import ConnectorSettings
from tests.integration.services.connectors.vendor import Records, Vendor

WITHIN = 30.0
ReportT = TypeVar("ReportT", TaskAccepted, TaskProgressed, TaskSettled, TaskUnsealable)


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], within: float = WITHIN) -> None:
    """Return once `holds` does; fail when it takes too long."""
    async with asyncio.timeout(within):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Sent:
    """A task that was dispatched, and how to say more about it."""

    id: str
    request_id: str
    processor: str


@dataclass
class Rig:
    """Everything around the hosts of one test."""

    namespace: str
    bootstrap: str
    url: str
    folder: Path
    key_file: Path
    producer: AIOKafkaProducer
    keys: FixedKeys = field(default_factory=FixedKeys)
    enrolled: dict[str, ProcessorKeys] = field(default_factory=dict)
    reports: list[tuple[str, Message]] = field(default_factory=list)  # event id and body, proven ones alone
    kinds: dict[str, Kind] = field(default_factory=dict)
    vendors: dict[str, Vendor] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)

    async def enrol(self, processor: str, *, kind: str = "records", version: int = 1) -> Vendor:
        """Make a processor's topic and folder; return its vendor, whose gates are open."""
        vendor = Vendor()
        vendor.gate.set()
        vendor.after.set()
        name = f"{self.namespace}-{processor}"
        Records.VENDORS[name] = self.vendors[processor] = vendor
        await topics.ensure(Brokers(self.bootstrap), [topics.task_spec(self.namespace, processor)])
        secret = secrets.token_bytes(32)
        document = {
            "processor": processor,
            "kind": kind,
            "enrolment": ids.new("enr"),
            "version": version,
            "secret": base64.b64encode(secret).decode(),
        }
        self.learn(ProcessorKeys.from_secret(processor, version, secret))
        home = self.folder / processor
        self.write(home / "settings.toml", f'vendor = "{name}"\n')
        self.write(home / "secrets" / "token", "first")
        self.write(home / "enrolment.key", json.dumps(document))
        return vendor

    def learn(self, keys: ProcessorKeys) -> None:
        """Prove and believe with these keys from now on."""
        self.enrolled[keys.processor] = keys
        self.keys.replace(self.enrolled.values())

    def write(self, file: Path, text: str) -> None:
        """Write a file as the enroller does."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_text(text)

    # What is sent

    def message(
        self,
        processor: str,
        customer: str,
        *,
        sent: Sent | None = None,
        action: Action = Action.ERASE,
        dispatch_no: int = 1,
        lives: timedelta = timedelta(days=6),
        forget: timedelta = timedelta(days=45),
        sealed: str | None = None,
    ) -> TaskDispatched:
        """Return a task about `customer`."""
        task_id, request_id = (sent.id, sent.request_id) if sent else (ids.new("tsk"), ids.new("req"))
        identity = SealedIdentity(type=IdentityType.CUSTOMER_ID, value=customer)
        now = self.clock.now()
        key = base64.urlsafe_b64encode(self.export_key(task_id)).decode() if action is Action.EXPORT else None
        subject = SealedSubject(task=task_id, identities=(identity,), export_key=key)
        return TaskDispatched(
            livemode=True,
            task_id=task_id,
            request_id=request_id,
            processor=processor,
            client_id=ids.new("cli"),
            dispatch_no=dispatch_no,
            action=action,
            right=Right.ACCESS if action is Action.EXPORT else Right.ERASURE,
            round=0,
            manifest_version=1,
            not_after=now + lives,
            forget_after=now + forget,
            due_at=now + timedelta(days=30),
            sealed=sealed or seal(self.enrolled[processor], subject),
        )

    def export_key(self, task_id: str) -> bytes:
        """Return the key of a task's exports, the same each time."""
        return hashlib.sha256(task_id.encode()).digest()

    def cancel(self, sent: Sent, *, dispatch_no: int = 1) -> TaskCancelled:
        """Return the cancel of a task."""
        return TaskCancelled(**self._named(sent, dispatch_no), not_after=self.clock.now() + timedelta(days=1))

    def closed(self, sent: Sent, *, dispatch_no: int = 1) -> TaskClosed:
        """Return the closing of a task."""
        return TaskClosed(**self._named(sent, dispatch_no))

    def _named(self, sent: Sent, dispatch_no: int) -> dict[str, Any]:
        return {
            "livemode": True,
            "task_id": sent.id,
            "request_id": sent.request_id,
            "processor": sent.processor,
            "client_id": ids.new("cli"),
            "dispatch_no": dispatch_no,
        }

    def outgoing(
        self, body: TaskDispatched | TaskCancelled | TaskClosed, *, keys: ProcessorKeys | None = None
    ) -> Outgoing:
        """Return `body` as a record, proven with the processor's keys or those given."""
        composer = Composer(source="orchestrator", namespace=self.namespace)
        made = composer.compose(
            TASKS,
            body,
            key=body.request_id,
            keys=keys or self.enrolled[body.processor],
            event_id=ids.new("evt"),
            subject=body.request_id,
            at=datetime.now(UTC),
        )
        name = TASKS.named(self.namespace, body.processor)
        return Outgoing(name, made.key, made.headers, made.value)

    async def send(self, *bodies: TaskDispatched | TaskCancelled | TaskClosed) -> Sent:
        """Send messages in order; return the task of the first."""
        for body in bodies:
            await self.produce(self.outgoing(body))
        return Sent(bodies[0].task_id, bodies[0].request_id, bodies[0].processor)

    async def produce(self, record: Outgoing) -> None:
        """Send a record as it is."""
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        await self.producer.send_and_wait(record.topic, record.value, record.key.encode(), headers=headers)

    # What comes back

    def of(self, kind: type[ReportT], sent: Sent) -> list[ReportT]:
        """Return the reports of a kind about a task, one for each event id."""
        seen: dict[str, ReportT] = {}
        for event_id, body in self.reports:
            if isinstance(body, kind) and body.task_id == sent.id:
                seen.setdefault(event_id, body)
        return list(seen.values())

    async def settled(self, sent: Sent, *, dispatch_no: int = 1) -> TaskSettled:
        """Return the answer to a dispatch, waiting for it."""

        def answers() -> list[TaskSettled]:
            return [one for one in self.of(TaskSettled, sent) if one.dispatch_no == dispatch_no]

        await until(lambda: bool(answers()))
        return answers()[0]

    async def first(self, kind: type[ReportT], sent: Sent) -> ReportT:
        """Return the first report of a kind about a task, waiting for it."""
        await until(lambda: bool(self.of(kind, sent)))
        return self.of(kind, sent)[0]

    def announced(self, processor: str) -> list[ProcessorAnnounced]:
        """Return the announcements of a processor."""
        return [
            body for _, body in self.reports if isinstance(body, ProcessorAnnounced) and body.processor == processor
        ]

    async def listen(self) -> None:
        """Read reports and announcements until cancelled."""
        names = {REPORTS.named(self.namespace): REPORTS, PROCESSORS.named(self.namespace): PROCESSORS}
        decoder = Decoder(names, self.keys)
        consumer = AIOKafkaConsumer(*names, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async for record in consumer:
                decoded = decoder.decode(record)
                if isinstance(decoded, Believed):
                    self.reports.append((decoded.incoming.event_id, decoded.incoming.body))
        finally:
            await consumer.stop()

    # What runs

    def settings(self, **changes: Any) -> ConnectorSettings:
        """Return the settings of a host; what must be waited for is short."""
        values: dict[str, Any] = {
            "namespace": self.namespace,
            "environment": "test",
            "database_url": self.url,
            "kafka_bootstrap": self.bootstrap,
            "kafka_session_timeout": 6.0,
            "key_file": self.key_file,
            "processors_dir": self.folder,
            "http_port": 0,
            "folder_poll": 0.1,
            "lease_seconds": 10.0,
            "exports_url": self.exports.as_uri(),
        }
        return ConnectorSettings(**(values | changes))

    @asynccontextmanager
    async def host(self, **changes: Any) -> AsyncIterator["Running"]:
        """Run a host until the block ends, then stop it in order."""
        running = await self.start(**changes)
        try:
            yield running
        finally:
            await running.stop()

    async def start(self, **changes: Any) -> "Running":
        """Start a host and return once it consumes."""
        settings = self.settings(**changes)
        database = await Database.open(self.url, name="connectors-under-test")
        host = Host(settings, database, Catalogue(self.kinds), self.clock)
        running = Running(host, [asyncio.create_task(_run(part), name=part.name) for part in host.parts()])
        await until(lambda: host.roster.looked and all(one.ready for one in host.roster.subscriptions))
        return running

    async def rows(self, query: str, *arguments: object) -> Sequence[Mapping[str, Any]]:
        """Ask the host's database."""
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    @property
    def exports(self) -> Path:
        """The folder of the hosts' object store."""
        return self.folder.parent / "exports"

    def stored(self) -> list[str]:
        """Return all files in it, half-written ones too."""
        return sorted(str(one.relative_to(self.exports)) for one in self.exports.rglob("*") if one.is_file())

    async def state(self, sent: Sent) -> str | None:
        """Return what is stored of a task's state."""
        rows = await self.rows("SELECT state FROM tasks WHERE id = $1", sent.id)
        return rows[0]["state"] if rows else None


@dataclass
class Running:
    """A host that runs inside the test's event loop."""

    host: Host
    parts: list[asyncio.Task[None]]

    async def stop(self) -> None:
        """Stop it as SIGTERM does."""
        left = set(self.parts)
        while left:
            for part in left:
                part.cancel()  # again where a driver swallowed it: aiokafka does while it closes a client
            _, left = await asyncio.wait(left, timeout=10.0)
        await self.host.close()


async def _run(part: Part) -> None:
    await part.run()
