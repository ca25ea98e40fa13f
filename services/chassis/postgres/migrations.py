"""Brings a service's schema up to date: its role, its schema, then numbered SQL files, each once and in order."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import unquote, urlsplit

import asyncpg

from services.chassis.log import get_logger
from services.chassis.postgres.pool import IDLE_IN_TRANSACTION_MS

log = get_logger(__name__)

_FILE = re.compile(r"^(\d{4})_(pre|post)_[a-z0-9_]+\.sql$")
CHASSIS = "services.chassis.postgres"


class MigrationError(RuntimeError):
    """The schema cannot be brought up to date; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `pre` runs before the new code is started, `post` when none of the old runs any more."""

    name: str
    phase: str
    sql: str

    @property
    def digest(self) -> str:
        """Return a digest of the text: a file that was run must not change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(package: str, room: str) -> Iterator[Migration]:
    """Yield the migrations of `package` in order; their names carry `room`, so that two packages do not collide."""
    folder = resources.files(package).joinpath("migrations")
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        match = _FILE.match(entry.name)
        if match is None:
            if entry.name.endswith(".sql"):
                msg = f"{entry.name}: name it NNNN_pre_what.sql or NNNN_post_what.sql"
                raise MigrationError(msg)
            continue
        yield Migration(f"{room}/{entry.name}", match[2], entry.read_text(encoding="utf-8"))


async def migrate(*, owner_url: str, service_url: str, service: str, package: str, phases: Sequence[str]) -> int:
    """Bring the schema `service` up to date with the owner's role; return how many files were run.

    `service_url` names the role and password that the service connects with; the role may use its own schema and
    nothing else. Safe to run twice and from two places at once (an advisory lock makes the second wait).
    """
    # A statement may take its time; a process that was stopped in between may not hold its locks for ever.
    waits = {"idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS), "application_name": "migrate"}
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(owner_url, timeout=10, server_settings=waits)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"habeas migrate {service}")
            role = await _prepare(connection, service, service_url)
            done = await _run(connection, [*read(CHASSIS, "chassis"), *read(package, service)], phases)
            await _grant(connection, service, role)
            return done
    finally:
        await connection.close()


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]", schema: str, service_url: str) -> str:
    parts = urlsplit(service_url)
    if not parts.username or not parts.password:
        msg = "HABEAS_DATABASE_URL needs a user and a password: migrate gives the service's role that password"
        raise MigrationError(msg)
    role, password = unquote(parts.username), unquote(parts.password)
    quoted, secret = _identifier(role), _literal(password)
    known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if known else "CREATE"
    await connection.execute(f"{verb} ROLE {quoted} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {secret}")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_identifier(schema)}")
    database = _identifier(await connection.fetchval("SELECT current_database()"))
    await connection.execute(f"ALTER ROLE {quoted} IN DATABASE {database} SET search_path = {_identifier(schema)}")
    await connection.execute(f"SET LOCAL search_path = {_identifier(schema)}")
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name text PRIMARY KEY, digest text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
    )
    return role


async def _run(
    connection: "asyncpg.Connection[asyncpg.Record]", migrations: Sequence[Migration], phases: Sequence[str]
) -> int:
    ran = {row["name"]: row["digest"] for row in await connection.fetch("SELECT name, digest FROM migrations")}
    done = 0
    for migration in migrations:
        if migration.name in ran:
            if ran[migration.name] != migration.digest:
                msg = f"{migration.name} was changed after it was run: put it back and write a new file"
                raise MigrationError(msg)
            continue
        if migration.phase not in phases:
            continue
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO migrations (name, digest) VALUES ($1, $2)", migration.name, migration.digest
        )
        log.info("migration.ran", migration=migration.name)
        done += 1
    return done


async def _grant(connection: "asyncpg.Connection[asyncpg.Record]", schema: str, role: str) -> None:
    quoted, owner = _identifier(schema), _identifier(role)
    await connection.execute(f"REVOKE ALL ON SCHEMA {quoted} FROM PUBLIC")
    await connection.execute(f"GRANT USAGE ON SCHEMA {quoted} TO {owner}")
    await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {quoted} TO {owner}")
    await connection.execute(f"REVOKE INSERT, UPDATE, DELETE ON {quoted}.migrations FROM {owner}")
    await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {quoted} TO {owner}")


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", name):
        msg = "role, schema and database are named by letters, digits, - and _ alone"
        raise MigrationError(msg)
    return f'"{name}"'


def _literal(text: str) -> str:
    if "\\" in text or "\x00" in text:
        msg = "the password of HABEAS_DATABASE_URL must not hold a backslash or NUL"
        raise MigrationError(msg)
    return "'" + text.replace("'", "''") + "'"
