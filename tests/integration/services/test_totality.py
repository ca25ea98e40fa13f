"""Every message type of the contracts has a consumer and a golden history, or is a fact for whoever wants to know."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from contracts.message import Message
from contracts.topics import ALL, MESSAGES, Topic
from services.chassis.clock import ManualClock
from services.chassis.crypto.at_rest import LocalKeys
from services.chassis.crypto.keys import FixedKeys
from services.chassis.crypto.root import RootKey
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.incoming import Incoming
from services.chassis.kafka.subscription import Subscription
from services.chassis.postgres.pool import Connection, Database
from services.connectors import consumers as of_connectors
from services.connectors.settings import ConnectorSettings
from services.notifier import consumers as of_notifier
from services.orchestrator import consumers as of_orchestrator
from services.orchestrator.handlers.dependencies import Dependencies, Wakes
from services.orchestrator.settings import OrchestratorSettings
from tests.integration.services.histories import types_told
from tests.integration.services.orchestrator.conftest import NOW, SECRET

READERS = ("orchestrator", "connectors", "notifier")


async def unread(connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
    """Be a handler: nothing is read here."""


def orchestrator(database: Database) -> Iterator[Subscription]:
    root = RootKey(SECRET)
    settings = OrchestratorSettings(database_url=SecretStr("postgresql://nobody@127.0.0.1/none"), key_file=Path("none"))
    deps = Dependencies(
        database=database,
        root=root,
        at_rest=LocalKeys(SECRET),
        notifier=root.processor_keys("notifier", "enr_test", 1),
        composer=Composer(source="orchestrator", namespace=""),
        clock=ManualClock(NOW),
        settings=settings,
        wakes=Wakes(),
        blind_key=SECRET,
    )
    yield from of_orchestrator.subscriptions(deps, DeadLetters(SECRET, days=1))


def connectors(database: Database) -> Iterator[Subscription]:
    settings = ConnectorSettings(
        database_url=SecretStr("postgresql://nobody@127.0.0.1/none"), key_file=Path("none"), processors_dir=Path("none")
    )
    yield of_connectors.subscription(
        settings,
        "crm-eu",
        handler=unread,
        keys=FixedKeys(),
        refresh=FixedKeys().refresh,
        database=database,
        dead_letters=DeadLetters(SECRET, days=1),
        ended=lambda *, committed: None,
    )


def notifier(database: Database) -> Iterator[Subscription]:
    yield of_notifier.subscribe(
        unread,
        keys=FixedKeys(),
        database=database,
        dead_letters=DeadLetters(SECRET, days=1),
        after_commit=lambda: None,
        namespace="",
        brokers=Brokers("127.0.0.1:1"),
        instance=0,
        session_timeout=10.0,
        halt_after=20,
    )


@pytest.fixture
def read() -> dict[str, set[Topic]]:
    """The topics that each service reads, by its own wiring."""
    database = Database(None)  # nothing is read here
    wired = {"orchestrator": orchestrator(database), "connectors": connectors(database), "notifier": notifier(database)}
    return {
        name: {topic for one in some for topic in one._taker._decoder._topics.values()} for name, some in wired.items()
    }


def types_of(topics: set[Topic]) -> set[str]:
    return {model.wire_type() for topic in topics for model in topic.messages}


def test_every_message_type_has_a_consumer_or_is_a_fact_for_anyone(read: dict[str, set[Topic]]) -> None:
    consumed = set().union(*(types_of(topics) for topics in read.values()))
    for_anyone = types_of({topic for topic in ALL if topic.fact and topic.receiver == "anyone"})
    assert consumed | for_anyone == set(MESSAGES)
    assert consumed & for_anyone == set(), "somebody reads the facts now: give them golden histories"


@pytest.mark.parametrize("service", READERS)
def test_every_message_type_that_is_consumed_has_a_golden_history(read: dict[str, set[Topic]], service: str) -> None:
    assert types_told(service) == types_of(read[service])
