"""A notifier on real servers, with a mail server that does what a test tells it to."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts import ids
from contracts.notices import NoticeDue, Recipient
from contracts.outcomes import Line
from contracts.seal import SealedNotice
from contracts.topics import DELIVERIES, NOTICES
from habeas.vocabulary import Checked, Disposition, Headline, Language, NoticeKind, Right
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.topics import ensure, spec_of
from services.chassis.postgres.migrations import migrate
from services.chassis.postgres.pool import Database
from services.chassis.service import Part
from services.notifier.app import Notifier
from services.notifier.settings import NotifierSettings

SECRET = bytes(range(32))
KEYS = ProcessorKeys.from_secret("notifier", 1, SECRET)
ROLE = "habeas_test_notifier"
PASSWORD = "made-up"
WITHIN = 30.0


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], within: float = WITHIN) -> None:
    """Return once `holds` does; fail when it takes too long."""
    async with asyncio.timeout(within):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


@dataclass
class MailServer:
    """Takes mail. `replies` to RCPT and to the final dot are used up one by one; None means to hang up unanswered."""

    rcpt: list[str] = field(default_factory=list)
    dot: list[str | None] = field(default_factory=list)
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    offered: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    at_gate: int = 0
    port: int = 0

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:  # noqa: N802
        self.offered += 1
        reply = self.rcpt.pop(0) if self.rcpt else "250 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(to)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        reply = self.dot.pop(0) if self.dot else "250 2.0.0 OK"
        if reply is None or reply.startswith("2"):
            parsed = message_from_bytes(content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.mails.append((list(envelope.rcpt_tos), parsed))
        self.at_gate += 1
        await self.gate.wait()
        if reply is None:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 never heard"
        return reply

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for recipients, mail in self.mails if recipients == [address]]


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    handler = MailServer()
    handler.gate.set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="mail.example", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    handler.port = server.sockets[0].getsockname()[1]
    yield handler
    handler.gate.set()
    server.close()


@pytest.fixture
def notifier_database(databases: Any) -> Iterator[str]:
    async def prepare(url: str) -> None:
        await migrate(
            owner_url=url,
            service_url=_own(url),
            service="notifier",
            package="services.notifier.store",
            phases=("pre", "post"),
        )

    url = databases.create(databases.template("notifier", prepare))

    async def path() -> None:  # ALTER ROLE .. IN DATABASE does not travel with a template
        connection = await asyncpg.connect(url)
        name = urlsplit(url).path[1:]
        await connection.execute(f'ALTER ROLE {ROLE} IN DATABASE "{name}" SET search_path = notifier')
        await connection.close()

    from tests.infrastructure import in_thread  # noqa: PLC0415

    in_thread(path)
    yield url
    databases.drop(url)


async def _run(part: Part) -> None:
    await part.run()


def _own(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{PASSWORD}@{parts.hostname}:{parts.port}"))


@dataclass
class World:
    """The servers of one test and what stands on them."""

    folder: Path
    namespace: str
    bootstrap: str
    url: str
    mail: MailServer
    producer: AIOKafkaProducer | None = None

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "HABEAS_NAMESPACE": self.namespace,
            "HABEAS_ENVIRONMENT": "test",
            "HABEAS_DATABASE_URL": _own(self.url),
            "HABEAS_KAFKA_BOOTSTRAP": self.bootstrap,
            "HABEAS_KEY_FILE": str(self.folder / "key"),
            "HABEAS_HTTP_PORT": "0",
            "HABEAS_ENROLMENT_FILE": str(self.folder / "enrolment.key"),
            "HABEAS_SMTP_PORT": str(self.mail.port),
            "HABEAS_RETRY_AFTER": "[0.05]",
            "HABEAS_SENDER_LEASE": "1.5",
            "HABEAS_KAFKA_SESSION_TIMEOUT": "6",
            **more,
        }

    def settings(self, **more: Any) -> NotifierSettings:
        values = {
            name.removeprefix("HABEAS_").lower(): json.loads(value) if value.startswith("[") else value
            for name, value in self.environment().items()
        }
        return NotifierSettings(**{**values, **more})

    def enrol(self, version: int = 1, secret: bytes = SECRET) -> None:
        path = self.folder / "enrolment.key"
        document = {"processor": "notifier", "kind": "notifier", "enrolment": "x", "version": version}
        path.write_text(json.dumps({**document, "secret": base64.b64encode(secret).decode()}))
        path.chmod(0o600)

    @asynccontextmanager
    async def running(self, **more: Any) -> AsyncIterator[Notifier]:
        """Run a notifier in this process."""
        settings = self.settings(**more)
        database = await Database.open(settings.database_url.get_secret_value(), name="test", size=6)
        notifier = Notifier(settings, database)
        tasks = [asyncio.create_task(_run(part), name=part.name) for part in notifier.parts()]
        try:
            yield notifier
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await database.close()

    async def publish(self, *dues: NoticeDue, keys: ProcessorKeys = KEYS) -> None:
        """Send notices as the orchestrator does."""
        if self.producer is None:
            self.producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
            await self.producer.start()
        for due in dues:
            record = Composer(source="orchestrator", namespace=self.namespace).compose(
                NOTICES, due, key=due.case_id, keys=keys, event_id=ids.new("evt"), subject=due.case_id, at=now()
            )
            headers = [(name, value.encode()) for name, value in record.headers.items()]
            await self.producer.send_and_wait(record.topic, record.value, key=record.key.encode(), headers=headers)

    @asynccontextmanager
    async def deliveries(self) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
        """Collect (event id, body with its `type`) of the reports, from the first on."""
        consumer = AIOKafkaConsumer(
            DELIVERIES.named(self.namespace), bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        found: list[tuple[str, dict[str, Any]]] = []

        async def read() -> None:
            async for record in consumer:
                headers = dict(record.headers)
                body = json.loads(record.value)
                found.append((headers["ce_id"].decode(), {**body, "type": headers["ce_type"].decode().split(".")[3]}))

        reading = asyncio.create_task(read())
        try:
            yield found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await consumer.stop()

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.url, server_settings={"search_path": "notifier"})
        try:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def state(self, due: NoticeDue) -> str | None:
        rows = await self.rows("SELECT state FROM notices WHERE id = $1", due.notice_id)
        return rows[0]["state"] if rows else None

    async def is_in(self, due: NoticeDue, state: str) -> bool:
        return await self.state(due) == state


@pytest.fixture
def bare_world(tmp_path: Path, namespace: str, notifier_database: str, mail_server: MailServer) -> World:
    """A database and a mail server, without a broker."""
    key = tmp_path / "key"
    key.write_text(base64.b64encode(os.urandom(32)).decode())
    key.chmod(0o600)
    made = World(tmp_path, namespace, "127.0.0.1:1", notifier_database, mail_server)
    made.enrol()
    return made


@pytest.fixture
async def world(bare_world: World, kafka_bootstrap: str) -> AsyncIterator[World]:
    """The whole of it."""
    bare_world.bootstrap = kafka_bootstrap
    await ensure(Brokers(kafka_bootstrap), [spec_of(topic, bare_world.namespace) for topic in (NOTICES, DELIVERIES)])
    yield bare_world
    if bare_world.producer is not None:
        await bare_world.producer.stop()


def now() -> datetime:
    return datetime.now(UTC)


def due(
    to: str = "jane@example.com", *, keys: ProcessorKeys = KEYS, reference: str | None = None, **more: Any
) -> NoticeDue:
    """Return a notice; `more` replaces its fields."""
    notice_id = more.pop("notice_id", None) or ids.new("ntc")
    fields: dict[str, Any] = {
        "livemode": True,
        "notice_id": notice_id,
        "case_id": ids.new("cas"),
        "request_id": ids.new("req"),
        "kind": NoticeKind.COMPLETION,
        "language": Language.ENGLISH,
        "right": Right.ERASURE,
        "dispatch_no": 1,
        "not_after": now() + timedelta(days=1),
        "received_on": date(2026, 11, 20),
        "due_on": date(2026, 12, 21),
        "headline": Headline.FULFILLED,
        "recipients": (
            Recipient(
                title="CRM",
                lines=(Line(category="contact", disposition=Disposition.ERASED, count=3, checked=Checked.VERIFIED),),
            ),
        ),
        "sealed": seal(keys, SealedNotice(notice=notice_id, email=to, reference=reference)),
    }
    return NoticeDue(**{**fields, **more})
