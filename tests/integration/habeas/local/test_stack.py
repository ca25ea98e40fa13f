"""The whole stack, with stand-ins for the services: order, keys and ports kept, restarts, and nothing left behind."""

import http.client
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from habeas.local import detached, state
from habeas.local.errors import LocalStackError
from habeas.local.home import Home
from habeas.local.kafka import answers
from habeas.local.stack import Stack
from habeas.local.waiting import wait_until

pytestmark = pytest.mark.slow
LeftBehind = Callable[[], list[str]]


def ask(port: int) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        told: dict[str, object] = json.loads(connection.getresponse().read())
        return told
    finally:
        connection.close()


def test_second_start_keeps_ports_keys_and_data(stand_ins: Path, home: Path, left_behind: LeftBehind) -> None:
    told: list[str] = []
    with Stack(home, say=told.append) as stack:
        first = (stack.url, stack.key, stack.postgres_url, stack.kafka_bootstrap)
        assert stack.postgres is not None
        stack.postgres.create_database("kept")
    assert left_behind() == []
    assert {line.split(" ready")[0] for line in told} >= {"PostgreSQL", "Kafka", "orchestrator", "sandbox"}
    with Stack(home) as stack:
        assert (stack.url, stack.key, stack.postgres_url, stack.kafka_bootstrap) == first
        assert stack.postgres is not None
        assert stack.postgres.execute("SELECT count(*) FROM pg_database WHERE datname = 'kept';") == "1"


def test_what_is_written_is_private_and_complete(home: Path, stand_ins: Path) -> None:
    with Stack(home) as stack:
        found = state.read(stack.home.state)
        assert found is not None
        assert found.phase == "up"
        assert (found.url, found.key, found.sandbox_url) == (stack.url, stack.key, stack.sandbox_url)
        names = {"postgres", "kafka", "sandbox", "orchestrator", "connectors", "notifier"}
        assert {process.name for process in found.processes if process.running} == names
        for processor in ("crm-eu", "files", "ai"):
            told = json.loads((stack.home.processors / processor / "enrolment.key").read_text())
            assert told == {**told, "processor": processor, "version": 1}
        secret_files = [
            stack.home.state,
            stack.home.api_key,
            stack.home.notifier_key,
            *home.glob("keys/*"),
            *home.glob("logs/*"),
            *home.glob("processors/*/enrolment.key"),
            *home.glob("processors/*/secrets/*"),
        ]
        assert {stat.S_IMODE(file.stat().st_mode) for file in secret_files} == {0o600}
    assert not stack.home.state.exists()


def test_each_part_can_be_killed_and_started_again(home: Path, stand_ins: Path) -> None:
    with Stack(home) as stack:
        for service in stack.services.values():
            old = service.pid
            service.kill()
            assert service.exit_code == -signal.SIGKILL
            service.start({"MARK": "second life"})
            assert service.pid not in (None, old)
            assert ask(service.port)["mark"] == "second life"
        assert stack.postgres is not None
        assert stack.kafka is not None
        for server in (stack.postgres, stack.kafka):
            server.kill()
            server.start()
        assert answers(stack.kafka.port)


def test_stacks_stand_side_by_side_but_one_to_a_home(
    tmp_path: Path, home: Path, stand_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habeas.local.home.PATIENCE", 0.0)
    with Stack(home) as first, Stack(tmp_path / "other") as second:
        assert not set(first.ports.values()) & set(second.ports.values())
        assert first.key != second.key
        with pytest.raises(LocalStackError, match=rf"already runs in .* \(process {os.getpid()}\)"):
            Stack(home)


def test_a_service_that_fails_is_named_and_nothing_is_left(
    stand_ins: Path, home: Path, left_behind: LeftBehind
) -> None:
    with pytest.raises(LocalStackError, match=r"The service notifier ended with 3; the reason is at the end of .*log"):
        Stack(home, extra={"FAIL": "notifier"}).start()
    assert left_behind() == []
    assert not Home(home).state.exists()
    with Stack(home) as stack:
        assert stack.services["notifier"].is_ready()


def test_servers_of_ones_own_are_used_instead(
    home: Path, stand_ins: Path, postgres_url: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_POSTGRES_URL", postgres_url)
    monkeypatch.setenv("HABEAS_KAFKA_BOOTSTRAP", kafka_bootstrap)
    with Stack(home) as stack:
        assert stack.postgres is None
        assert stack.kafka is None
        assert {child.name for child in stack.supervisor.children} == set(stack.services)
        assert (stack.postgres_url, stack.kafka_bootstrap) == (postgres_url, kafka_bootstrap)


def test_up_status_and_down_from_other_processes(
    stand_ins: Path, home: Path, left_behind: LeftBehind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "PROGRAM", [sys.executable, "-c", DETACHED, str(stand_ins)])
    told: list[str] = []
    try:
        found = detached.up(home, say=told.append)
        assert found.phase == "up"
        assert any(line.startswith("orchestrator ready") for line in told)
        assert detached.up(home).owner.pid == found.owner.pid
        running = detached.status(home)
        assert running is not None
        victim = next(process for process in running.processes if process.name == "connectors")
        os.kill(victim.pid, signal.SIGKILL)
        assert wait_until(lambda: not victim.running, seconds=10)
        log = Home(home).log("stack")
        assert wait_until(lambda: "connectors ended with -9" in log.read_text(), seconds=10)
    finally:
        assert detached.down(home)
    assert detached.status(home) is None
    assert not detached.down(home)
    assert left_behind() == []


DETACHED = """
import sys
from pathlib import Path
from habeas.local import places
places.import_root = lambda: Path(sys.argv[1])
from habeas.local import detached
sys.exit(detached.main(Path(sys.argv[2])))
"""


def test_up_says_why_it_failed(
    stand_ins: Path, home: Path, left_behind: LeftBehind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "PROGRAM", [sys.executable, "-c", DETACHED, str(stand_ins)])
    monkeypatch.setenv("FAIL", "sandbox")
    with pytest.raises(LocalStackError, match="The service sandbox ended with 3"):
        detached.up(home)
    assert wait_until(lambda: left_behind() == [] and not Home(home).is_locked(), seconds=30)


def test_a_stack_whose_owner_was_killed_counts_as_down(
    home: Path, stand_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "PROGRAM", [sys.executable, "-c", DETACHED, str(stand_ins)])
    found = detached.up(home)
    os.kill(found.owner.pid, signal.SIGKILL)
    assert wait_until(lambda: detached.status(home) is None, seconds=10)
    try:
        again = detached.up(home)  # waits for the dead one's guardian, then takes the same ports
        assert (again.url, again.key) == (found.url, found.key)
    finally:
        detached.down(home)


def test_what_is_said_to_one_stack_alone_counts_as_if_the_environment_said_it(home: Path, stand_ins: Path) -> None:
    """So stacks can share servers: each with a namespace and a database of its own."""
    given = "postgresql://owner:owner-password@127.0.0.1:1/one"
    said = {"HABEAS_POSTGRES_URL": given, "HABEAS_KAFKA_BOOTSTRAP": "127.0.0.1:2", "HABEAS_NAMESPACE": "one"}
    stack = Stack(home, extra=said)
    try:
        assert (stack.postgres, stack.kafka, stack.namespace) == (None, None, "one")
        assert (stack.postgres_url, stack.kafka_bootstrap) == (given, "127.0.0.1:2")
        told = stack.services["notifier"].environment
        assert told["HABEAS_DATABASE_URL"].startswith("postgresql://one_habeas_notifier:")
        assert told["HABEAS_NAMESPACE"] == "one"
        assert not any("owner-password" in value for value in told.values())
    finally:
        stack.stop()
