"""A schema is brought up to date once and in order, and a service's role may use it and change nothing of its shape."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from services.chassis.postgres import migrations
from services.chassis.postgres.migrations import CHASSIS, MigrationError, migrate, read
from services.chassis.postgres.pool import Connection, lone_connection
from tests.integration.services.chassis.conftest import role_url

OF_THE_CHASSIS = len(list(read(CHASSIS, "chassis")))


class Package:
    """A package whose folder `migrations` a test fills."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder / name / "migrations"
        self.folder.mkdir(parents=True)
        (folder / name / "__init__.py").touch()

    def write(self, name: str, sql: str) -> None:
        (self.folder / name).write_text(sql)


class Schema:
    """The schema of one service in the test's database."""

    def __init__(self, name: str, owner: str, namespace: str, package: Package) -> None:
        self.name = name
        self.owner = owner
        self.url = role_url(owner, f"{namespace}_{name}")
        self.package = package

    async def migrate(self, *phases: str) -> int:
        return await migrate(
            owner_url=self.owner,
            service_url=self.url,
            service=self.name,
            package=self.package.name,
            phases=phases or ("pre", "post"),
        )

    async def ran(self) -> list[str]:
        """Return the service's own files that were run, in the order of their running."""
        async with lone_connection(self.owner, name="test") as connection:
            query = f"SELECT name FROM {self.name}.migrations WHERE name LIKE $1 ORDER BY at, name"
            return [row["name"].partition("/")[2] for row in await connection.fetch(query, f"{self.name}/%")]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Connect as the service does."""
        async with lone_connection(self.url, name="test") as connection:
            yield connection


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which packages are imported until the test ends."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("migrated_")]:
        del sys.modules[name]


@pytest.fixture
def shop(database: str, namespace: str, importable: Path) -> Schema:
    package = Package(f"migrated_{namespace}", importable)
    package.write("0001_pre_goods.sql", "CREATE TABLE goods (id bigint GENERATED ALWAYS AS IDENTITY, name text);")
    return Schema("shop", database, namespace, package)


async def test_files_are_run_once_and_in_order_after_those_of_the_chassis(shop: Schema) -> None:
    shop.package.write("0002_pre_price.sql", "ALTER TABLE goods ADD price integer;")
    assert await shop.migrate() == OF_THE_CHASSIS + 2
    assert await shop.ran() == ["0001_pre_goods.sql", "0002_pre_price.sql"]
    assert await shop.migrate() == 0
    shop.package.write("0003_pre_unit.sql", "ALTER TABLE goods ADD unit text;")
    shop.package.write("notes.md", "No migration.")
    assert await shop.migrate() == 1


@pytest.mark.parametrize(
    "name", ["1_pre_goods.sql", "0002_goods.sql", "0002_mid_goods.sql", "0002_pre_Goods.sql", "0002-pre-goods.sql"]
)
async def test_a_misnamed_file_is_told_and_nothing_is_run(name: str, shop: Schema) -> None:
    shop.package.write(name, "CREATE TABLE more ();")
    with pytest.raises(MigrationError, match=f"{name}: name it NNNN_pre_what.sql or NNNN_post_what.sql"):
        await shop.migrate()
    assert await schemas(shop.owner) == set()


async def test_a_file_that_was_changed_after_it_ran_is_told_and_nothing_is_run(shop: Schema) -> None:
    await shop.migrate()
    shop.package.write("0001_pre_goods.sql", "CREATE TABLE goods (id bigint, title text);")
    shop.package.write("0000_pre_first.sql", "CREATE TABLE first ();")
    with pytest.raises(MigrationError, match=r"shop/0001_pre_goods\.sql was changed after it was run: put it back"):
        await shop.migrate()
    assert await shop.ran() == ["0001_pre_goods.sql"]


async def test_what_comes_before_the_new_code_does_not_bring_what_comes_after_it(shop: Schema) -> None:
    shop.package.write("0002_post_drop.sql", "ALTER TABLE goods DROP name;")
    shop.package.write("0003_pre_title.sql", "ALTER TABLE goods ADD title text;")
    await shop.migrate("pre")
    assert await shop.ran() == ["0001_pre_goods.sql", "0003_pre_title.sql"]
    async with shop.connected() as connection:
        await connection.execute("INSERT INTO goods (name, title) VALUES ('of the old code', 'of the new')")
    assert await shop.migrate("pre") == 0
    assert await shop.migrate("post") == 1
    assert await shop.ran() == ["0001_pre_goods.sql", "0003_pre_title.sql", "0002_post_drop.sql"]


async def test_a_file_that_fails_leaves_nothing_of_its_run(shop: Schema) -> None:
    shop.package.write("0002_pre_more.sql", "CREATE TABLE more ();")
    shop.package.write("0003_pre_broken.sql", "CREATE TABLE least (); SELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await shop.migrate()
    assert await schemas(shop.owner) == set()
    shop.package.write("0003_pre_broken.sql", "CREATE TABLE least ();")
    assert await shop.migrate() == OF_THE_CHASSIS + 3


async def test_two_at_once_run_each_file_once(shop: Schema) -> None:
    shop.package.write("0002_pre_slow.sql", "SELECT pg_sleep(0.2); INSERT INTO goods (name) VALUES ('first');")
    done = await asyncio.gather(*(shop.migrate() for _ in range(4)))
    assert sorted(done) == [0, 0, 0, OF_THE_CHASSIS + 2]
    async with shop.connected() as connection:
        assert await connection.fetchval("SELECT count(*) FROM goods") == 1


async def test_services_that_migrate_at_once_do_not_meet(shop: Schema, namespace: str) -> None:
    yard = Schema("yard", shop.owner, namespace, shop.package)
    assert set(await asyncio.gather(shop.migrate(), yard.migrate())) == {OF_THE_CHASSIS + 1}
    assert await schemas(shop.owner) == {"shop", "yard"}


async def test_the_role_works_in_its_own_schema(shop: Schema) -> None:
    await shop.migrate()
    async with shop.connected() as connection:
        await connection.execute("INSERT INTO goods (name) VALUES ('bread')")
        await connection.execute("UPDATE goods SET name = 'butter'")
        assert await connection.fetchval("SELECT name FROM goods") == "butter"
        await connection.execute("DELETE FROM goods")
        assert await connection.fetchval("SELECT count(*) FROM migrations") == OF_THE_CHASSIS + 1


FORBIDDEN = [
    "SELECT FROM yard.goods",
    "INSERT INTO yard.goods (name) VALUES ('stolen')",
    "DELETE FROM yard.outbox",
    "CREATE TABLE more ()",
    "CREATE TABLE public.more ()",
    "CREATE TABLE yard.more ()",
    "CREATE SCHEMA more",
    "ALTER TABLE goods ADD more text",
    "DROP TABLE goods",
    "TRUNCATE goods",
    "CREATE INDEX ON goods (name)",
    "DROP SCHEMA shop CASCADE",
    "CREATE ROLE more",
    "INSERT INTO migrations (name, digest) VALUES ('shop/9999_pre_more.sql', '')",
    "UPDATE migrations SET digest = ''",
    "DELETE FROM migrations",
]


async def test_the_role_may_do_nothing_else(shop: Schema, namespace: str) -> None:
    await shop.migrate()
    await Schema("yard", shop.owner, namespace, shop.package).migrate()
    async with shop.connected() as connection:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_the_role_has_no_rights_beyond_its_schema(shop: Schema) -> None:
    await shop.migrate()
    async with shop.connected() as connection:
        row = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        assert row is not None
        rights = ("rolsuper", "rolcreatedb", "rolcreaterole", "rolreplication", "rolbypassrls")
        assert [name for name in rights if row[name]] == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f'SET ROLE "{await owner_of(shop)}"')


async def test_a_url_without_a_password_is_told(shop: Schema) -> None:
    shop.url = shop.url.replace(":probe@", "@")
    with pytest.raises(MigrationError, match="HABEAS_DATABASE_URL needs a user and a password"):
        await shop.migrate()


async def test_a_password_that_changed_is_given_to_the_role(shop: Schema) -> None:
    await shop.migrate()
    shop.url = shop.url.replace(":probe@", ":it%27s%20new@")
    await shop.migrate()
    async with shop.connected() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_migration_that_was_stopped_in_its_middle_does_not_hold_its_locks(
    shop: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.migrate()
    monkeypatch.setattr(migrations, "IDLE_IN_TRANSACTION_MS", 50)
    shop.package.write("0002_pre_more.sql", "ALTER TABLE goods ADD more text;")

    async def stopped(*_: object) -> None:
        async with shop.connected() as other:
            await other.execute("DELETE FROM goods", timeout=20)  # waits for the lock, and gets it

    monkeypatch.setattr(migrations, "_grant", stopped)
    with pytest.raises((asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.InterfaceError)):
        await shop.migrate()
    assert await shop.ran() == ["0001_pre_goods.sql"]


async def schemas(owner: str) -> set[str]:
    """Return the schemas that were made."""
    async with lone_connection(owner, name="test") as connection:
        rows = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname IN ('shop', 'yard')")
        return {row["nspname"] for row in rows}


async def owner_of(schema: Schema) -> str:
    async with lone_connection(schema.owner, name="test") as connection:
        return str(await connection.fetchval("SELECT current_user"))
