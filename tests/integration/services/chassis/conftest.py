"""A probe service on real Kafka and PostgreSQL, for the tests of the chassis."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiokafka import AIOKafkaProducer

from contracts import ids
from contracts.message import Message
from contracts.outcomes import Outcome
from contracts.proof import HEADER
from contracts.reports import TaskAccepted, TaskSettled
from contracts.topics import REPORTS
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.proof import prove
from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.migrations import migrate
from services.chassis.postgres.pool import Database
from tests.infrastructure import Databases

PROBE = "tests.integration.services.chassis.probe"
KEYS = ProcessorKeys.from_secret("crm-eu", 1, b"k" * 32)


def role_url(owner_url: str, role: str) -> str:
    """Return the URL of a service's role on the owner's database."""
    parts = urlsplit(owner_url)
    return urlunsplit(parts._replace(netloc=f"{role}:probe@{parts.hostname}:{parts.port}"))


@pytest.fixture
async def probe_url(databases: Databases, namespace: str) -> AsyncIterator[str]:
    """The probe's own URL of a migrated database."""
    owner = databases.create()
    url = role_url(owner, f"{namespace}_probe")
    await migrate(owner_url=owner, service_url=url, service="probe", package=PROBE, phases=("pre", "post"))
    yield url
    databases.drop(owner)


@pytest.fixture
async def probe_database(probe_url: str) -> AsyncIterator[Database]:
    """The probe's pool."""
    opened = await Database.open(probe_url, name="probe")
    yield opened
    await opened.close()


@pytest.fixture
async def reports_topic(kafka_bootstrap: str, namespace: str) -> str:
    """The name of a topic of reports of this test's own."""
    await topics.ensure(Brokers(kafka_bootstrap), [topics.spec_of(REPORTS, namespace)])
    return REPORTS.named(namespace)


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer."""
    one = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
def compose(namespace: str) -> "Compose":
    """Composes proven reports."""
    return Compose(namespace)


class Compose:
    """Makes reports of one processor, each on a request and task of its own."""

    def __init__(self, namespace: str, keys: ProcessorKeys = KEYS) -> None:
        self.namespace = namespace
        self._keys = keys
        self._composer = Composer(source="connectors", namespace=namespace)

    def settled(self, *, request: str | None = None, processor: str = "crm-eu") -> Outgoing:
        """Return a proven `task.settled`."""
        return self._compose(
            TaskSettled(outcome=Outcome.of(()), **self._fields(request, processor))  # type: ignore[arg-type]
        )

    def accepted(self, *, request: str | None = None) -> Outgoing:
        """Return a proven `task.accepted`."""
        return self._compose(TaskAccepted(**self._fields(request, "crm-eu")))  # type: ignore[arg-type]

    def proven(self, message: Outgoing) -> Outgoing:
        """Return a message with a proof of what it is now."""
        headers = {name: value for name, value in message.headers.items() if name != HEADER}
        proof = prove(self._keys, topic=message.topic, key=message.key.encode(), headers=headers, body=message.value)
        return replace(message, headers={**headers, HEADER: proof})

    def _fields(self, request: str | None, processor: str) -> dict[str, object]:
        return {
            "livemode": True,
            "task_id": ids.new("tsk"),
            "request_id": request or ids.new("req"),
            "processor": processor,
            "dispatch_no": 1,
            "at": datetime.now(UTC),
        }

    def _compose(self, body: Message) -> Outgoing:
        request = str(getattr(body, "request_id"))  # noqa: B009  # the base class has none
        return self._composer.compose(
            REPORTS,
            body,
            key=request,
            keys=self._keys,
            event_id=ids.new("evt"),
            subject=request,
            at=datetime.now(UTC),
        )


async def produce(producer: AIOKafkaProducer, message: Outgoing, *, partition: int | None = None) -> None:
    """Send one message as it is and wait for the broker."""
    await producer.send_and_wait(
        message.topic,
        key=message.key.encode(),
        value=message.value,
        headers=[(name, value.encode()) for name, value in message.headers.items()],
        partition=partition,
    )
