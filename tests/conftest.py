"""Fixtures that every test may ask for: servers, databases, a namespace of its own, and a guard on the network."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.network import only_loopback

if TYPE_CHECKING:  # these import drivers and the local stack, which most unit tests never need
    from habeas.local.kafka import KafkaServer
    from habeas.local.postgres import PostgresServer
    from tests.infrastructure import Databases

OFFLINE = ("unit", "architecture", "contract", "conformance")
HERE = Path(__file__).parent
QUIET_PORTS = range(24_000, 28_000)  # beside those that stacks take: what a test finds free here stays free


@pytest.fixture(autouse=True)
def _network_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse connections beyond this machine in tests that have no business there."""
    if request.path.relative_to(HERE).parts[0] not in OFFLINE:
        yield
        return
    with only_loopback():
        yield


@pytest.fixture(scope="session")
def _postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, "PostgresServer | None"]]:
    from tests.infrastructure import postgres  # noqa: PLC0415

    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def _kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, "KafkaServer | None"]]:
    from tests.infrastructure import kafka  # noqa: PLC0415

    with kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(_postgres: tuple[str, "PostgresServer | None"]) -> str:
    """The owner's URL of a PostgreSQL server, for the whole run."""
    return _postgres[0]


@pytest.fixture(scope="session")
def kafka_bootstrap(_kafka: tuple[str, "KafkaServer | None"]) -> str:
    """The bootstrap address of a Kafka cluster, for the whole run."""
    return _kafka[0]


@pytest.fixture
def postgres_server(_postgres: tuple[str, "PostgresServer | None"]) -> "PostgresServer":
    """The server that this run started, for tests that kill it; it must run again when the test ends."""
    if _postgres[1] is None:
        pytest.skip("kills PostgreSQL, and this server is not the test run's own")
    return _postgres[1]


@pytest.fixture
def kafka_server(_kafka: tuple[str, "KafkaServer | None"]) -> "KafkaServer":
    """The broker that this run started, for tests that kill it; it must run again when the test ends."""
    if _kafka[1] is None:
        pytest.skip("kills Kafka, and this broker is not the test run's own")
    return _kafka[1]


@pytest.fixture
def namespace() -> str:
    """A prefix for topics, groups and roles, so that tests and runs on one cluster never meet."""
    return f"t{secrets.token_hex(5)}"


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator["Databases"]:
    """Makes databases: `databases.create(databases.template("orchestrator", migrate_it))` copies a migrated one."""
    from tests.infrastructure import Databases  # noqa: PLC0415

    made = Databases(postgres_url)
    yield made
    made.close()


@pytest.fixture
def database(databases: "Databases") -> Iterator[str]:
    """The owner's URL of an empty database of this test's own."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def module_database(databases: "Databases") -> Iterator[str]:
    """The owner's URL of an empty database that the tests of one module share."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def quiet_ports(monkeypatch: pytest.MonkeyPatch) -> range:
    """Ports that no stack of this test run takes; leases of this test take from them."""
    monkeypatch.setattr("habeas.local.ports.CHOICE", QUIET_PORTS)
    return QUIET_PORTS
