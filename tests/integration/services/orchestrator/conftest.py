"""A migrated database of the orchestrator for each test, and the API over it, called without a socket."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from habeas.vocabulary import Scope
from services.chassis.clock import ManualClock
from services.chassis.crypto.at_rest import LocalKeys
from services.chassis.crypto.root import RootKey
from services.chassis.dead_letters import DeadLetters
from services.chassis.health import Health
from services.chassis.kafka.composer import Composer
from services.chassis.postgres.migrations import migrate
from services.chassis.postgres.pool import Database
from services.orchestrator.api.application import build
from services.orchestrator.api.dependencies import ApiDependencies
from services.orchestrator.handlers.dependencies import Dependencies, Wakes
from services.orchestrator.handlers.file_requests import Filer
from services.orchestrator.handlers.issue_key import bootstrap_key
from services.orchestrator.settings import OrchestratorSettings
from tests.infrastructure import in_thread

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infrastructure import Databases

ROLE = "habeas_test_orchestrator"
PASSWORD = "made-up"
SECRET = bytes(range(32))
# In this order they can be emptied; nothing refers to the others.
REFERRED_TO = ("tasks", "requests", "cases", "api_keys", "clients", "processors")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def service_url(owner_url: str) -> str:
    """The same database as the service's own role."""
    parts = urlsplit(owner_url)
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{PASSWORD}@{parts.hostname}:{parts.port}"))


async def migrate_it(owner_url: str) -> None:
    await migrate(
        owner_url=owner_url,
        service_url=service_url(owner_url),
        service="orchestrator",
        package="services.orchestrator.store",
        phases=("pre", "post"),
    )


@pytest.fixture(scope="module")
def orchestrator_owner_url(databases: "Databases") -> Iterator[str]:
    """The owner's URL of a migrated database that the tests of one module share."""
    owner_url = databases.create(databases.template("orchestrator", migrate_it))
    in_thread(lambda: migrate_it(owner_url))  # a copy has the tables, but not the search path of the role
    yield owner_url
    databases.drop(owner_url)


@pytest.fixture
async def orchestrator_url(orchestrator_owner_url: str) -> str:
    """The service's URL of a migrated database without a row; emptying is much faster than making one."""
    connection = await asyncpg.connect(orchestrator_owner_url)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'orchestrator'")
    others = {row["tablename"] for row in rows} - {"migrations", *REFERRED_TO}
    # DELETE, since TRUNCATE writes a file for each table and index.
    await connection.execute(";".join(f"DELETE FROM orchestrator.{table}" for table in (*others, *REFERRED_TO)))
    await connection.close()
    return service_url(orchestrator_owner_url)


@dataclass
class Api:
    """One API process: its application, what it is made of, and ways to call it."""

    app: FastAPI
    deps: Dependencies
    clock: ManualClock
    provisioned: list[str]

    async def key(self, *scopes: Scope, client: str = "tests", livemode: bool = True) -> str:
        """A fresh key of a client; all scopes when none is named."""
        async with self.deps.database.transaction() as connection:
            return (await bootstrap_key(connection, client, scopes or tuple(Scope), livemode)).secret

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """A caller that holds a key."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://habeas.test", headers=headers)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        async with self.deps.database.connection() as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query finds."""
        async with self.deps.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def execute(self, statement: str, *values: Any) -> None:
        """Change something behind the API's back."""
        async with self.deps.database.connection() as connection:
            await connection.execute(statement, *values)


async def open_api(url: str, key_file: "Path", *, secret: bytes = SECRET) -> Api:
    """Start one API process over a database."""
    database = await Database.open(url, name="tests")
    root, clock = RootKey(secret), ManualClock(NOW)
    exports = (key_file.parent / "exports").as_uri()
    settings = OrchestratorSettings(
        database_url=SecretStr(url), key_file=key_file, environment="test", exports_url=exports
    )
    deps = Dependencies(
        database=database,
        root=root,
        at_rest=LocalKeys(root.secret),
        notifier=root.processor_keys("notifier", "enr_test", 1),
        composer=Composer(source="orchestrator", namespace=""),
        clock=clock,
        settings=settings,
        wakes=Wakes(),
        blind_key=root.derive("habeas blind index"),
    )
    provisioned: list[str] = []

    async def provision(processor: str) -> None:
        provisioned.append(processor)

    app = build(
        ApiDependencies(
            operations=deps,
            filer=Filer(deps),
            health=Health(ready={"postgres": database.ping}),
            dead_letters=DeadLetters(root.secret, days=30),
            provision=provision,
            exports=settings.open_exports(),
        )
    )
    return Api(app, deps, clock, provisioned)


@pytest.fixture
async def api(orchestrator_url: str, tmp_path: "Path") -> AsyncIterator[Api]:
    """One API process."""
    opened = await open_api(orchestrator_url, tmp_path / "root.key")
    yield opened
    await opened.deps.database.close()


@pytest.fixture
async def other_api(api: Api, orchestrator_url: str, tmp_path: "Path") -> AsyncIterator[Api]:
    """A second API process over the same database."""
    opened = await open_api(orchestrator_url, tmp_path / "root.key")
    yield opened
    await opened.deps.database.close()


@pytest.fixture
async def caller(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with every scope."""
    async with api.client(await api.key()) as client:
        yield client
