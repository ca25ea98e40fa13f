"""The command as a whole: help, which server, colours, and how it ends."""

import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from habeas.cli.application import app
from tests.unit.habeas.cli.conftest import FakeServer, Habeas, Terminal, a_request, page


def test_every_command_teaches_with_an_example(habeas: Habeas) -> None:
    paths = [[command.name or command.callback.__name__] for command in app.registered_commands if command.callback]
    for group in app.registered_groups:
        inner = group.typer_instance
        assert inner
        paths += [[str(group.name), str(command.name)] for command in inner.registered_commands]
    assert len(paths) > 15
    for path in paths:
        ran = habeas(*path, "--help")
        assert ran.code == 0
        assert f"habeas {' '.join(path)}" in ran.out.split("Example")[-1], path


def test_no_arguments_show_the_help(habeas: Habeas) -> None:
    ran = habeas()
    assert "requests" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("requests", "nope"), "No such command"),
        (("requests", "list", "--nope"), "No such option"),
        (("requests", "list", "--limit", "many"), "--limit"),
        (("requests", "show"), "Missing argument"),
        (("tasks", "skip", "tsk_1"), "Missing option"),
    ],
)
def test_what_is_not_understood_is_one_plain_line(habeas: Habeas, arguments: tuple[str, ...], says: str) -> None:
    ran = habeas(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_options_win_over_the_environment(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests"] = page()
    habeas("requests", "list", "--url", "http://other.test", "--key", "hab_other")
    assert server.sent[0].url.host == "other.test"
    assert server.sent[0].headers["authorization"] == "Bearer hab_other"


def test_no_server_at_all(habeas: Habeas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HABEAS_URL")
    ran = habeas("requests", "list")
    assert ran.code == 1
    assert "habeas up" in ran.err


def test_a_server_that_does_not_answer(habeas: Habeas, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(transport: object, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    ran = habeas("tasks", "retry", "tsk_1")
    assert ran.code == 1
    assert ran.err == "habeas: no answer from http://habeas.test (ConnectError)\n"


@pytest.mark.parametrize("stop", [KeyboardInterrupt])
def test_an_interrupt_is_quiet(habeas: Habeas, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]) -> None:
    def interrupt(transport: object, request: httpx.Request) -> httpx.Response:
        raise stop

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", interrupt)
    ran = habeas("requests", "list")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_no_control_characters_where_no_terminal_is(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests"] = page(a_request(overdue=True))
    assert "\x1b" not in habeas("requests", "list").out


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_respected(
    habeas: Habeas, server: FakeServer, monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    server.answers["GET /v1/requests"] = page(a_request(state="completed"))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    habeas("requests", "list")
    assert ("\x1b[32m" in terminal.text) is coloured


def test_run_becomes_the_service(habeas: Habeas, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda program, argv, env: became.append((argv, env)))
    habeas("run", "orchestrator", "bootstrap-key", "--name", "demo")
    habeas("run", "sandbox")
    (argv, env), (other, _) = became
    assert argv[1:] == ["-P", "-m", "services.orchestrator", "bootstrap-key", "--name", "demo"]
    assert other[-1] == "serve"
    assert (Path(env["PYTHONPATH"]) / "services").is_dir()


def test_run_knows_its_services(habeas: Habeas) -> None:
    ran = habeas("run", "postgres")
    assert ran.code == 1
    assert "there are orchestrator, connectors" in ran.err


def test_json_is_json_even_with_odd_text(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests"] = page(a_request(reference="[bold]é\x1b"))
    assert json.loads(habeas("requests", "list", "--json").out)[0]["reference"] == "[bold]é\x1b"
