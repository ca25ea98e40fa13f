"""`habeas up`, `down`, `status`, `logs`: what they print of a stack that others start."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from habeas.cli import fixed_ports
from habeas.local import detached, state
from habeas.local.ports import PortLease
from tests.unit.habeas.cli.conftest import FakeServer, Habeas, page


def running(**changes: Any) -> state.StackState:
    """What a stack owned by this test wrote down."""
    us = state.Process.of("orchestrator", os.getpid(), address="http://127.0.0.1:8080", log=Path("logs/o.log"))
    return state.StackState(
        phase="up",
        owner=us,
        url="http://127.0.0.1:8080",
        key="hab_local",
        postgres_url="postgresql://nowhere",
        kafka_bootstrap="127.0.0.1:9092",
        sandbox_url="http://127.0.0.1:8090",
        processes=[us],
    ).model_copy(update=changes)


PEOPLE = {
    "people": [
        {"email": "odd@example.com", "customer_id": "c-1", "name": "Odd", "oddity": "no notes"},
        {"email": "paying@example.com", "customer_id": "c-2", "name": "Paying", "payer": "open invoice"},
        {"email": "sharing@example.com", "customer_id": "c-3", "name": "Sharing"},
        {"email": "shared@example.com", "customer_id": "c-4", "name": "Shared", "oddity": "shares a note"},
        {"email": "jane@example.com", "customer_id": "c-5", "name": "Jane"},
        {"email": "last@example.com", "customer_id": "c-6", "name": "Last"},
    ]
}
GONE = state.Process(name="notifier", pid=os.getpid(), created=1.0)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> list[Path]:
    """The homes on which a stack was started, with nothing running before, and people at its vendors."""
    homes: list[Path] = []
    server.answers["GET /_sandbox/people"] = PEOPLE

    def up(home: Path, *, say: Callable[[str], None]) -> state.StackState:
        say("PostgreSQL ready after 0.4 s")
        homes.append(home)
        return running()

    monkeypatch.setattr(detached, "up", up)
    monkeypatch.setattr(detached, "status", lambda home: None)
    return homes


def test_up_prints_what_one_needs(habeas: Habeas, started: list[Path], tmp_path: Path) -> None:
    ran = habeas("up", "--home", str(tmp_path))
    assert ran.code == 0
    assert started == [tmp_path]
    assert "PostgreSQL ready" in ran.out
    assert ["key", "hab_local"] in [line.split() for line in ran.out.splitlines()]
    assert "http://127.0.0.1:8080/reference" in ran.out
    (file,) = (line for line in ran.out.splitlines() if line.startswith("curl"))
    wish = json.loads(file.split(" -d '")[1].rstrip("'"))
    assert wish["right"] == "access"
    assert wish["subject"]["identities"] == [{"type": "email", "value": "jane@example.com"}]
    assert "Authorization: Bearer hab_local" in file


def test_up_invents_people_where_nobody_lives(habeas: Habeas, started: list[Path], server: FakeServer) -> None:
    server.answers |= {"GET /_sandbox/people": {"people": []}, "POST /_sandbox/people": PEOPLE}
    assert habeas("up", "--json").json["person"] == "jane@example.com"
    assert server.body == {"count": 25, "seed": 1}


def test_up_for_programs(habeas: Habeas, started: list[Path]) -> None:
    ran = habeas("up", "--json")
    assert ran.json["key"] == "hab_local"
    assert "PostgreSQL ready" in ran.err


def test_up_keeps_the_ports_that_were_asked_for(
    habeas: Habeas, started: list[Path], tmp_path: Path, free: list[int]
) -> None:
    api, kafka, postgres, sandbox, other = free
    (tmp_path / "ports.json").write_text(json.dumps({"notifier": other, "orchestrator": 1}))
    options = ("--port", api, "--kafka-port", kafka, "--postgres-port", postgres, "--sandbox-port", sandbox)
    ran = habeas("up", "--home", str(tmp_path), *map(str, options))
    assert "habeas down" in ran.err  # the stand-in runs elsewhere; what matters is what was kept
    kept = {"notifier": other, "orchestrator": api, "kafka": kafka, "postgres": postgres, "sandbox": sandbox}
    assert json.loads((tmp_path / "ports.json").read_text()) == kept


def test_a_port_that_is_taken_is_not_kept(
    habeas: Habeas, started: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habeas.local.ports.PATIENCE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        ran = habeas("up", "--home", str(tmp_path), "--kafka-port", str(port))
    assert ran.code == 1
    assert ran.err.startswith(f"habeas: Port {port}, wanted for kafka, is taken by ")
    assert not (tmp_path / "ports.json").exists()
    assert started == []


def test_two_parts_cannot_have_one_port(habeas: Habeas, started: list[Path], tmp_path: Path, free: list[int]) -> None:
    ran = habeas("up", "--home", str(tmp_path), "--port", str(free[0]), "--kafka-port", str(free[0]))
    assert (ran.code, started) == (1, [])
    assert "choose another" in ran.err


@pytest.mark.parametrize(("part", "variable"), fixed_ports.GIVEN.items())
def test_a_server_of_ones_own_has_no_port_to_fix(
    habeas: Habeas, started: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "given")
    for command in (("up", "--home", str(tmp_path)), ("demo",)):
        ran = habeas(*command, f"--{part}-port", "20001")
        assert (ran.code, started) == (1, [])
        assert variable in ran.err


@pytest.fixture
def free(tmp_path: Path, quiet_ports: range) -> list[int]:
    """Ports that nobody uses, and nobody takes meanwhile."""
    lease = PortLease(tmp_path / "leases")
    found = [lease.take() for _ in range(5)]
    lease.release()
    return found


def test_up_does_not_pretend_to_change_the_port_of_what_runs(
    habeas: Habeas, started: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(detached, "status", lambda home: running())
    ran = habeas("up", "--home", str(tmp_path), "--port", "9999")
    assert ran.code == 1
    assert "habeas down" in ran.err
    assert not (tmp_path / "ports.json").exists()


@pytest.mark.parametrize(("was_there", "says"), [(True, "Stopped.\n"), (False, "No stack runs here.\n")])
def test_down(habeas: Habeas, monkeypatch: pytest.MonkeyPatch, *, was_there: bool, says: str) -> None:
    monkeypatch.setattr(detached, "down", lambda home: was_there)
    assert habeas("down").out == says
    assert habeas("down", "--json").json == {"stopped": was_there}


def test_status(habeas: Habeas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detached, "status", lambda home: running())
    ran = habeas("status")
    assert ran.code == 0
    head, row = ran.out.splitlines()
    assert head.split() == ["PROCESS", "PID", "STATE", "ADDRESS", "LOG"]
    assert row.split() == ["orchestrator", str(os.getpid()), "running", "http://127.0.0.1:8080", "logs/o.log"]
    shown = habeas("status", "--json")
    assert shown.json["processes"][0]["running"] is True
    assert "hab_local" not in ran.out + shown.out


def test_status_fails_when_a_part_has_ended(habeas: Habeas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detached, "status", lambda home: running(processes=[GONE]))
    ran = habeas("status")
    assert ran.code == 1
    assert "failed" in ran.out


@pytest.mark.parametrize("command", ["status", "logs"])
def test_nothing_runs(habeas: Habeas, command: str) -> None:
    ran = habeas(command)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "habeas: no stack runs here; start one with `habeas up`\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "notifier.log").write_text("one\ntwo\nthree\n")
    (tmp_path / "logs" / "kafka.log").write_text("started\n")
    return tmp_path


def test_logs_of_one(habeas: Habeas, home: Path) -> None:
    assert habeas("logs", "notifier", "--home", str(home), "-n", "2").out == "two\nthree\n"


def test_logs_of_all_are_told_apart(habeas: Habeas, home: Path) -> None:
    ran = habeas("logs", "--home", str(home), "-n", "1")
    assert ran.out.splitlines() == ["       kafka  started", "    notifier  three"]
    lines = [json.loads(line) for line in habeas("logs", "--home", str(home), "--json").out.splitlines()]
    assert lines[0] == {"process": "kafka", "line": "started"}


def test_logs_are_followed_across_a_fresh_start_of_the_file(
    habeas: Habeas, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = home / "logs" / "notifier.log"
    contents = iter(["one\ntwo\nthree\nfour\nfi", "new\n"])

    def next_turn(seconds: float) -> None:
        content = next(contents, None)
        if content is None:
            raise KeyboardInterrupt
        log.write_text(content)

    monkeypatch.setattr(time, "sleep", next_turn)
    ran = habeas("logs", "notifier", "--follow", "-n", "1", "--home", str(home))
    assert ran.code == 130
    assert ran.out == "three\nfour\nnew\n"


def test_logs_know_their_names(habeas: Habeas, home: Path) -> None:
    ran = habeas("logs", "nobody", "--home", str(home))
    assert ran.code == 1
    assert "there are kafka, notifier" in ran.err


def test_commands_find_the_stack_that_runs(
    habeas: Habeas, server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state.write(tmp_path / "stack.json", running())
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.delenv("HABEAS_URL")
    monkeypatch.delenv("HABEAS_API_KEY")
    server.answers["GET /v1/requests"] = page()
    assert habeas("requests", "list").code == 0
    assert str(server.sent[0].url).startswith("http://127.0.0.1:8080/")
    assert server.sent[0].headers["authorization"] == "Bearer hab_local"


def test_enrolling_at_the_stack_puts_the_key_where_its_host_looks(
    habeas: Habeas, server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state.write(tmp_path / "stack.json", running())
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.delenv("HABEAS_URL")
    told = {"processor": "crm-eu", "kind": "hubspot", "enrolment": "enr_1", "version": 1, "secret": "c2VjcmV0"}
    server.answers["POST /v1/processors"] = told
    assert habeas("processors", "enrol", "crm-eu", "--kind", "hubspot").code == 0
    assert (tmp_path / "processors" / "crm-eu" / "enrolment.key").exists()


def test_the_key_of_the_stack_goes_nowhere_else(
    habeas: Habeas, server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state.write(tmp_path / "stack.json", running())
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.delenv("HABEAS_API_KEY")
    ran = habeas("requests", "list", "--url", "http://other.test")
    assert ran.code == 1
    assert "no API key" in ran.err
    assert server.sent == []


def test_a_stack_that_has_ended_is_not_talked_to(
    habeas: Habeas, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state.write(tmp_path / "stack.json", running(owner=GONE))
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.delenv("HABEAS_URL")
    assert "habeas up" in habeas("requests", "list").err


def test_without_the_local_packages_it_says_what_to_install(habeas: Habeas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "habeas.local.detached")
    monkeypatch.delattr("habeas.local.detached")
    monkeypatch.delitem(sys.modules, "habeas.local.state")
    monkeypatch.setitem(sys.modules, "psutil", None)
    ran = habeas("down")
    assert ran.code == 1
    assert ran.err == "habeas: the local stack needs more packages: pip install 'habeas[local,server,s3,sandbox]'\n"
