"""`habeas processors approve`: what a manifest newly asks for is seen before it is allowed, and nothing else is."""

import sys

import pytest

from tests.unit.habeas.cli.conftest import FakeServer, Habeas, Terminal, page

ASKS = {"accepts": ["phone"], "resolves": [], "actions": ["export", "rectify"], "fields": ["contact.phone"]}
WAITING = {
    "id": "crm-eu",
    "kind": "hubspot",
    "state": "announced",
    "manifest_version": 1,
    "pending_manifest_version": 2,
    "pending_asks": ASKS,
}
SAID = "asks to see phone; to do export, rectify; to correct contact.phone"


@pytest.fixture(autouse=True)
def waiting(server: FakeServer) -> None:
    server.answers["GET /v1/processors"] = page({**WAITING, "id": "another"}, WAITING)
    server.answers["POST /v1/processors/crm-eu/approve"] = {**WAITING, "manifest_version": 2}


def approved(server: FakeServer) -> list[str]:
    """Which versions were approved."""
    return [one.url.params["manifest_version"] for one in server.sent if one.method == "POST"]


def test_the_list_says_what_a_manifest_waits_for(habeas: Habeas) -> None:
    assert f"1 (2 waits for approval: {SAID})" in habeas("processors", "list").out


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_it_asks_for_is_shown_and_that_version_is_approved(
    habeas: Habeas, server: FakeServer, form: tuple[str, ...]
) -> None:
    ran = habeas("processors", "approve", "crm-eu", *form)
    assert ran.err == f"Manifest version 2 of crm-eu {SAID}.\n"
    assert approved(server) == ["2"]
    if form:
        assert ran.json["manifest_version"] == 2


def test_one_that_waits_for_its_order_alone_asks_for_nothing_more(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/processors"] = page({**WAITING, "pending_asks": {}})
    assert "asks for nothing more" in habeas("processors", "approve", "crm-eu").err


class Typing(Terminal):
    """A terminal at which somebody types a line."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self._line = line

    def readline(self, *_: int) -> str:
        return f"{self._line}\n"


@pytest.mark.parametrize(
    ("line", "options", "versions"), [("y", (), ["2"]), ("n", (), []), ("", (), []), ("n", ("--yes",), ["2"])]
)
def test_at_a_terminal_it_asks_before(
    habeas: Habeas, server: FakeServer, monkeypatch: pytest.MonkeyPatch, line: str, options: tuple[str, ...],
    versions: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("io.StringIO", lambda _: Typing(line))  # what the runner takes for standard input
    ran = habeas("processors", "approve", "crm-eu", *options)
    assert approved(server) == versions
    assert (ran.code == 0) is bool(versions)
    assert ran.code == 0 or "nothing was approved" in ran.err
    assert sys.stdin.isatty()
