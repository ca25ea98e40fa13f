"""A PostgreSQL server of one's own: started, stopped, killed and started again, with its data."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from habeas.local import unprivileged
from habeas.local.errors import LocalStackError
from habeas.local.postgres import OWNER, PostgresServer
from habeas.local.supervisor import Supervisor
from tests.waiting import until

NewServer = Callable[[str], PostgresServer]
ASLEEP = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')"


async def ask(url: str, *statements: str) -> object:
    """Run statements; what the last one answers."""
    connection = await asyncpg.connect(url, timeout=60)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


async def test_data_survives_stop_and_kill_on_the_same_port(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    server.create_database("habeas")
    url = server.url("habeas")
    await ask(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1) RETURNING n")
    server.stop()
    assert server.pid is None
    server.start()
    await ask(url, "INSERT INTO kept VALUES (2) RETURNING n")
    server.kill()
    assert server.pid is None
    server.start()
    assert await ask(url, "SELECT array_agg(n ORDER BY n) FROM kept") == [1, 2]


async def test_a_kill_cuts_open_connections_and_a_restart_follows_at_once(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    connections = [await asyncpg.connect(server.url()) for _ in range(5)]
    sleeping = asyncio.ensure_future(connections[0].fetchval("SELECT pg_sleep(600)"))
    await until(lambda: connections[1].fetchval(ASLEEP))  # before that its own statement is only being prepared
    await asyncio.to_thread(server.kill)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await sleeping
    server.start()
    assert await ask(server.url(), "SELECT 1") == 1
    for connection in connections:
        connection.terminate()


async def test_the_data_is_made_as_promised(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    server.create_database("habeas")
    server.create_database("habeas")  # twice is no error
    url = server.url("habeas")
    for setting, value in {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "password_encryption": "scram-sha-256",
        "listen_addresses": "127.0.0.1",
    }.items():
        assert await ask(url, f"SHOW {setting}") == value
    assert await ask(url, "SELECT upper('één')") == "ÉÉN"
    assert await ask(url, "SELECT current_user::text") == OWNER
    methods = "SELECT array_agg(DISTINCT auth_method ORDER BY auth_method) FROM pg_hba_file_rules"
    assert await ask(url, methods) == ["reject", "scram-sha-256"]


async def test_a_wrong_password_is_refused_and_the_right_one_is_private(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(server.url(password="wrong"), "SELECT 1")
    assert stat.S_IMODE((server.home / "owner.password").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert not (server.home / "initdb.password").exists()


async def test_no_value_reaches_the_log(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    await ask(server.url(), "CREATE TABLE once (who text UNIQUE)", "SELECT 1")
    connection = await asyncpg.connect(server.url())
    await connection.execute("INSERT INTO once VALUES ($1)", "jane@example.com")
    with pytest.raises(asyncpg.UniqueViolationError):  # its DETAIL quotes the key
        await connection.execute("INSERT INTO once VALUES ($1)", "jane@example.com")
    with pytest.raises(asyncpg.InvalidTextRepresentationError):  # its message quotes the input
        await connection.execute("SELECT 'jane@example.com'::int")
    await connection.close()
    server.stop()
    log = server.log.read_text()
    assert "ready to accept connections" in log
    assert "jane" not in log


async def test_two_servers_side_by_side(new_postgres: NewServer) -> None:
    first, second = new_postgres("first"), new_postgres("second")
    first.start()
    second.start()
    assert first.port != second.port
    first.create_database("only_here")
    there = "SELECT count(*) FROM pg_database WHERE datname = 'only_here'"
    assert (await ask(first.url(), there), await ask(second.url(), there)) == (1, 0)


def test_an_interrupted_initdb_is_done_again(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    (server.home / "data.partial").mkdir()
    (server.home / "data.partial" / "PG_VERSION").write_text("18")
    server.start()
    assert server.pid is not None


def test_data_in_use_is_refused_in_words(new_postgres: NewServer, tmp_path: Path, supervisor: Supervisor) -> None:
    first = new_postgres("one")
    first.start()
    second = PostgresServer(tmp_path / "one", owner=supervisor)
    with pytest.raises(LocalStackError, match=rf"A PostgreSQL server \(process {first.pid}\) already runs"):
        second.start()


def test_a_pid_file_that_names_somebody_else_is_stale(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    pid_file = server.data / "postmaster.pid"
    _, _, rest = pid_file.read_text().partition("\n")
    server.kill()
    pid_file.write_text(f"{os.getpid()}\n{rest}")  # as after a reboot that gave the pid to another program
    server.start()
    assert server.pid is not None


def test_a_start_that_fails_names_the_log(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(LocalStackError, match=f"reason is at the end of {server.log}"):
        server.start()
    assert server.pid is None


def test_a_refused_statement_says_why(new_postgres: NewServer) -> None:
    server = new_postgres("one")
    server.start()
    with pytest.raises(LocalStackError, match="syntax error"):
        server.execute("SELEKT 1;")
    assert server.execute("SELECT 6 * 7;") == "42"


@pytest.fixture
def open_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may enter, on a machine that allows no user namespaces."""
    monkeypatch.setattr(unprivileged, "namespaces_work", lambda: False)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(unprivileged, "SHARED_CACHE", Path(folder) / "cache")
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root, so it must be root")
async def test_root_without_user_namespaces_gives_up_root(open_folder: Path, supervisor: Supervisor) -> None:
    server = PostgresServer(open_folder / "home", owner=supervisor)
    server.start()
    assert await ask(server.url(), "SELECT 1") == 1
    assert server.data.stat().st_uid != 0
    server.kill()
    server.start()
    assert await ask(server.url(), "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root, so it must be root")
def test_a_home_that_others_cannot_reach_is_refused_in_words(
    open_folder: Path, tmp_path: Path, supervisor: Supervisor
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    server = PostgresServer(tmp_path / "closed" / "home", owner=supervisor)
    with pytest.raises(LocalStackError, match="must not run as root and its user cannot reach"):
        server.start()
