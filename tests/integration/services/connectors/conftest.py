"""A rig for each test: a migrated database, topics of its own, a folder of enrolments, a reader of reports."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiokafka import AIOKafkaProducer

from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.postgres.migrations import migrate
from services.chassis.postgres.pool import Database
from services.connectors.host.enrolment import Enrolment
from services.connectors.host.served import Served
from tests.infrastructure import Databases
from tests.integration.services.connectors.desk import KEYS, Desk
from tests.integration.services.connectors.rig import Rig
from tests.integration.services.connectors.vendor import Records, Vendor, kind


@pytest.fixture
async def connectors_url(databases: Databases, namespace: str) -> AsyncIterator[str]:
    """The service's own URL of a migrated database."""
    owner = databases.create()
    parts = urlsplit(owner)
    url = urlunsplit(parts._replace(netloc=f"{namespace}_connectors:made-up@{parts.hostname}:{parts.port}"))
    await migrate(
        owner_url=owner,
        service_url=url,
        service="connectors",
        package="services.connectors.store",
        phases=("pre", "post"),
    )
    yield url
    databases.drop(owner)


@pytest.fixture
async def rig(kafka_bootstrap: str, namespace: str, connectors_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    """Everything around a host."""
    await topics.ensure(Brokers(kafka_bootstrap), topics.fixed_specs(namespace))
    key_file = tmp_path / "at-rest.key"
    key_file.touch(0o600)
    key_file.write_text(base64.b64encode(os.urandom(32)).decode())
    folder = tmp_path / "processors"
    folder.mkdir()
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    made = Rig(namespace, kafka_bootstrap, connectors_url, folder, key_file, producer, kinds={"records": kind()})
    listening = asyncio.create_task(made.listen())
    yield made
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await producer.stop()


@pytest.fixture
async def desk(connectors_url: str, namespace: str) -> AsyncIterator[Desk]:
    """A host by hand, and a vendor for it."""
    vendor = Records.VENDORS[namespace] = Vendor()
    vendor.gate.set()
    vendor.after.set()
    database = await Database.open(connectors_url, name="test", size=4)
    served = await Served.start(Enrolment("crm", "records", (KEYS,), {"vendor": namespace}), kind())
    yield Desk(database, served, vendor)
    await served.close(after=1.0)
    await database.close()
