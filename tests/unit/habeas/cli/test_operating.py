"""`habeas tasks`, `dead-letters` and `consumers`: tables, JSON, errors."""

import httpx
import pytest

from tests.unit.habeas.cli.conftest import FakeServer, Habeas, a_task, page

LETTER = {
    "id": 7,
    "service": "orchestrator",
    "consumer": "orchestrator.reports",
    "topic": "habeas.reports.v1",
    "partition": 2,
    "offset": 99,
    "reason": "unproven",
    "proven": False,
    "event": None,
    "at": "2026-01-31T10:00:00Z",
    "expires_at": "2026-02-07T10:00:00Z",
    "state": "dead",
}
HALTED = {
    "name": "orchestrator.reports",
    "service": "orchestrator",
    "halted": True,
    "halted_reason": "too_many_failures",
    "halted_at": "2026-01-31T10:00:00Z",
}


def test_task_retry(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/tasks/tsk_1/retry"] = a_task()
    assert habeas("tasks", "retry", "tsk_1").out == "erase at crm-eu is sent again (number 2).\n"
    assert habeas("tasks", "retry", "tsk_1", "--json").json["dispatch_no"] == 2


def test_task_skip(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/tasks/tsk_1/skip"] = a_task()
    assert "given up" in habeas("tasks", "skip", "tsk_1", "--reason", "out of business").out
    assert server.body == {"reason": "out of business"}


def test_dead_letters_list(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/dead-letters"] = page(LETTER)
    head, row = habeas("dead-letters", "list").out.splitlines()
    assert head.split() == ["ID", "SERVICE", "CONSUMER", "RECORD", "REASON", "STATE", "AT"]
    assert "habeas.reports.v1 2@99" in row
    assert habeas("dead-letters", "list", "--json").json[0]["id"] == 7


def test_dead_letters_show(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/dead-letters/orchestrator/7"] = LETTER
    shown = habeas("dead-letters", "show", "orchestrator", "7").out
    assert "unproven" in shown
    assert "no: nobody knows who sent it" in shown
    assert "dealt with" not in shown
    dealt = {"state": "discarded", "dealt_at": "2026-01-31T10:00:00Z", "dealt_by": "cli_7", "dealt_reason": "a test"}
    server.answers["GET /v1/dead-letters/orchestrator/7"] = {**LETTER, **dealt}
    shown = habeas("dead-letters", "show", "orchestrator", "7").out
    assert "cli_7" in shown
    assert "a test" in shown


def test_dead_letters_are_decided_on(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/dead-letters/orchestrator/7/redrive"] = LETTER
    server.answers["POST /v1/dead-letters/orchestrator/7/discard"] = LETTER
    assert "sent again" in habeas("dead-letters", "redrive", "orchestrator", "7").out
    assert "discarded" in habeas("dead-letters", "discard", "orchestrator", "7", "--reason", "a test").out
    assert server.body == {"reason": "a test"}


def test_consumers_list(habeas: Habeas, server: FakeServer) -> None:
    running = {"name": "orchestrator.deliveries", "service": "orchestrator", "halted": False}
    server.answers["GET /v1/consumers"] = page(HALTED, running)
    head, halted, going = habeas("consumers", "list").out.splitlines()
    assert head.split() == ["SERVICE", "CONSUMER", "STATE", "REASON", "SINCE"]
    assert halted.split()[:4] == ["orchestrator", "orchestrator.reports", "halted", "too_many_failures"]
    assert going.split() == ["orchestrator", "orchestrator.deliveries", "running", "-", "-"]
    assert habeas("consumers", "list", "--json").json[0]["halted"] is True


def test_consumers_resume(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/consumers/orchestrator/orchestrator.reports/resume"] = {**HALTED, "halted": False}
    ran = habeas("consumers", "resume", "orchestrator", "orchestrator.reports")
    assert ran.out == "orchestrator.reports of orchestrator goes on.\n"


@pytest.mark.parametrize("group", ["dead-letters", "consumers"])
def test_the_examples_ask_the_server_for_what_it_keeps_and_the_help_says_where_the_rest_is(
    habeas: Habeas, group: str
) -> None:
    shown = habeas(group, "--help").out
    assert f"habeas run connectors {group} list" in " ".join(shown.replace("\u2502", " ").split())
    commands = {"dead-letters": ("list", "show", "redrive", "discard"), "consumers": ("list", "resume")}[group]
    for command in commands:
        example = habeas(group, command, "--help").out.split("Example")[-1]
        assert not any(other in example for other in ("connectors", "notifier")), command


def test_what_another_service_keeps_is_one_plain_line_that_says_where(habeas: Habeas, server: FakeServer) -> None:
    detail = "This is kept by another service: run `python -m services.connectors dead-letters list` there."
    problem = {"title": "x", "status": 404, "code": "other_service", "detail": detail}
    server.answers["GET /v1/dead-letters/connectors/7"] = httpx.Response(404, json=problem)
    ran = habeas("dead-letters", "show", "connectors", "7")
    assert (ran.code, ran.err) == (1, f"habeas: {detail[:-1]} (other_service)\n")


@pytest.mark.parametrize("path", ["dead-letters list", "consumers list", "processors list"])
def test_nothing_to_list(habeas: Habeas, server: FakeServer, path: str) -> None:
    server.answers[f"GET /v1/{path.split(maxsplit=1)[0]}"] = page()
    ran = habeas(*path.split())
    assert ran.code == 0
    assert ran.out.startswith("No ")


@pytest.mark.parametrize(
    "command",
    [
        "tasks retry tsk_0",
        "tasks skip tsk_0 --reason gone",
        "dead-letters list",
        "dead-letters show orchestrator 1",
        "dead-letters redrive orchestrator 1",
        "dead-letters discard orchestrator 1 --reason gone",
        "consumers list",
        "consumers resume orchestrator orchestrator.reports",
        "processors list",
        "processors retire crm-eu --reason gone",
        "processors approve crm-eu",
    ],
)
def test_errors_are_one_plain_line(habeas: Habeas, server: FakeServer, command: str) -> None:
    ran = habeas(*command.split())
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "habeas: there is no such thing (not_found) [request id rid-7]\n"
