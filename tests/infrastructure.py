"""Where the tests' servers come from: your own by environment variable, a Docker engine, or the local stack."""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from habeas.local.kafka import KafkaServer
from habeas.local.postgres import PostgresServer

POSTGRES_VARIABLE = "HABEAS_POSTGRES_URL"
KAFKA_VARIABLE = "HABEAS_KAFKA_BOOTSTRAP"
POSTGRES_IMAGE = "postgres:18-alpine"
KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"  # Apache Kafka 4.1
# What a broker for tests does otherwise by itself, and we must not depend on.
KAFKA_ENVIRONMENT = {"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false", "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0"}

T = TypeVar("T")


def in_thread(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine to its end from plain code, whatever event loop the calling test has."""

    async def whole() -> T:
        return await work()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(whole())).result()


def docker_answers() -> bool:
    """Whether a Docker engine listens where DOCKER_HOST says, or at the usual place."""
    place = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    family, address = (
        (socket.AF_UNIX, place.path)
        if place.scheme == "unix"
        else (socket.AF_INET, (place.hostname or "127.0.0.1", place.port or 2375))
    )
    with socket.socket(family) as probe:
        probe.settimeout(2)
        return probe.connect_ex(address) == 0


@contextmanager
def postgres(home: Path) -> Iterator[tuple[str, PostgresServer | None]]:
    """Yield the owner's URL of a PostgreSQL server, and the server itself when this run started it."""
    with ExitStack() as stack:
        if url := os.environ.get(POSTGRES_VARIABLE):
            yield url, None
        elif docker_answers():
            from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 (only with an engine)

            container = stack.enter_context(PostgresContainer(POSTGRES_IMAGE, driver=None))
            yield container.get_connection_url(), None
        else:
            server = PostgresServer(home)
            stack.callback(server.stop)
            server.start()
            yield server.url(), server


@contextmanager
def kafka(home: Path) -> Iterator[tuple[str, KafkaServer | None]]:
    """Yield the bootstrap address of a Kafka cluster, and the broker itself when this run started it."""
    with ExitStack() as stack:
        if bootstrap := os.environ.get(KAFKA_VARIABLE):
            yield bootstrap, None
        elif docker_answers():
            from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 (only with an engine)

            container = KafkaContainer(KAFKA_IMAGE).with_kraft()
            for name, value in KAFKA_ENVIRONMENT.items():
                container.with_env(name, value)
            stack.enter_context(container)
            yield container.get_bootstrap_server(), None
        else:
            server = KafkaServer(home)
            stack.callback(server.stop)
            server.start()
            yield server.bootstrap, server


class Databases:
    """Makes and drops databases on one server; `url` is the owner's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._templates: dict[str, str] = {}

    def url_of(self, name: str) -> str:
        """Return the owner's URL of the database `name`."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def create(self, template: str = "template0") -> str:
        """Create a database with a name of its own as a copy of `template`; return its URL."""
        name = f"habeas_test_{secrets.token_hex(6)}"
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url_of(name)

    def drop(self, url: str) -> None:
        """Drop the database of a URL that `create` returned, with whoever is still connected to it."""
        self._administer(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')

    def template(self, what: str, prepare: Callable[[str], Awaitable[None]]) -> str:
        """Return the name of a database that `prepare(url)` filled, made once for each `what`: pass it to `create`.

        `prepare` must leave no connection open, or PostgreSQL refuses to copy the database.
        """
        if what not in self._templates:
            url = self.create()
            in_thread(lambda: prepare(url))
            self._templates[what] = urlsplit(url).path[1:]
        return self._templates[what]

    def close(self) -> None:
        """Drop the templates."""
        for name in self._templates.values():
            self.drop(self.url_of(name))
        self._templates.clear()

    def _administer(self, statement: str) -> None:
        async def work() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        in_thread(work)
