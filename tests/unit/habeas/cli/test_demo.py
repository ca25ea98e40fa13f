"""`habeas demo` against a stack of canned answers: the story, the verdict, and that it tidies up."""

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

import habeas.local.stack
from habeas.cli import demo_story
from habeas.local.errors import LocalStackError
from tests.unit.habeas.cli.conftest import OUTCOME, FakeServer, Habeas, a_request, a_task, page

PEOPLE = [
    {"email": "a@example.com", "customer_id": "c-1", "name": "A", "language": "en", "oddity": ""},
    {"email": "b@example.com", "customer_id": "c-2", "name": "B", "language": "nl", "oddity": "shares a note"},
    {"email": "c@example.com", "customer_id": "c-3", "name": "C", "language": "de", "oddity": ""},
    {"email": "jane@example.com", "customer_id": "c-4", "name": "Jane", "language": "en", "oddity": ""},
    {"email": "e@example.com", "customer_id": "c-5", "name": "E", "language": "nl", "oddity": ""},
]


def effect(vendor: str) -> dict[str, Any]:
    return {"seq": 1, "vendor": vendor, "effect": "delete", "target": "1", "person": "c-4", "changed": True}


@pytest.fixture
def world(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A sandbox and an orchestrator in which everything goes well."""
    monkeypatch.setattr(demo_story, "MAILS_WITHIN", 0.0)
    done = a_request(state="completed", outcome=OUTCOME)
    mails = [
        {"to": "jane@example.com", "subject": subject, "text": f"{subject}.\nBye"} for subject in ("Got it", "Done")
    ]
    fact = {"sequence": 1, "event": "evt_1", "type": "request.received", "at": "2026-01-31T10:00:00Z"}
    server.answers = {
        "POST /_sandbox/people": {"people": PEOPLE},
        "GET /_sandbox/people/c-4/remains": [{"hubspot": 3, "s3": 2}, {"hubspot": 0, "s3": 0}],
        "GET /_sandbox/state/digest": {"digest": "d"},
        "GET /_sandbox/ledger/hubspot": [{"effects": []}, {"effects": [effect("hubspot")]}],
        "GET /_sandbox/ledger/s3": [{"effects": []}, {"effects": [effect("s3")]}],
        "GET /_sandbox/mails": {"mails": mails},
        "POST /v1/requests": a_request(state="received"),
        "GET /v1/requests/req_1": [a_request(), done],
        "GET /v1/requests/req_1/tasks": [page(a_task()), page(a_task(state="settled", phase=None, outcome=OUTCOME))],
        "GET /v1/requests/req_1/timeline": page(fact),
    }
    return server


class FakeStack:
    """Says what it starts, and knows whether it was stopped."""

    url = "http://habeas.test"
    sandbox_url = "http://sandbox.test"
    key = "hab_k"
    stopped = 0
    refuses: BaseException | None = None

    def __init__(self, home: Path, *, say: Callable[[str], None]) -> None:
        self.home = home
        self._say = say

    def __enter__(self) -> Self:
        self._say("Starting PostgreSQL")
        if self.refuses is not None:
            raise self.refuses
        return self

    def __exit__(self, *_: object) -> None:
        type(self).stopped += 1


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[FakeStack]:
    made = type("MadeStack", (FakeStack,), {})
    monkeypatch.setattr(habeas.local.stack, "Stack", made)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return made


def test_tells_its_story_and_leaves_nothing(
    habeas: Habeas, world: FakeServer, stack: type[FakeStack], tmp_path: Path
) -> None:
    ran = habeas("demo")
    assert ran.code == 0, ran.out
    story = [
        "Starting PostgreSQL",
        "Jane <jane@example.com>, asks to be forgotten",
        "crm-eu  erase  working",
        "crm-eu  erase  fulfilled (3)",
        "request.received",
        "contact",
        "Subject: Got it",
        "Subject: Done",
        "yes  the request is fulfilled",
        "yes  now, they hold 0 things at hubspot, 0 things at s3",
        "All of it is so.",
        "What to try next",
    ]
    places = [ran.out.index(part) for part in story]
    assert places == sorted(places)
    assert "\x1b" not in ran.out
    assert stack.stopped == 1
    assert list(tmp_path.iterdir()) == []


def test_files_by_email_alone_with_that_contact(habeas: Habeas, world: FakeServer) -> None:
    habeas("demo")
    filed = next(request for request in world.sent if (request.method, request.url.path) == ("POST", "/v1/requests"))
    assert b'"identities": [{"type": "email", "value": "jane@example.com"}]' in filed.content
    assert b'"contact": {"email": "jane@example.com"}, "language": "en"' in filed.content


def test_for_programs_the_verdict_alone_is_on_standard_output(habeas: Habeas, world: FakeServer) -> None:
    ran = habeas("demo", "--json")
    assert ran.code == 0
    assert ran.json["passed"] is True
    assert {check["passed"] for check in ran.json["checks"]} == {True}
    assert "asks to be forgotten" in ran.err


def test_says_no_when_the_books_say_no(
    habeas: Habeas, world: FakeServer, stack: type[FakeStack], tmp_path: Path
) -> None:
    world.answers["GET /_sandbox/people/c-4/remains"] = {"hubspot": 3, "s3": 2}
    ran = habeas("demo")
    assert ran.code == 1
    assert "NO   now, they hold 3 things at hubspot, 2 things at s3" in ran.out
    assert "What to try next" not in ran.out
    assert stack.stopped == 1
    (kept,) = tmp_path.iterdir()
    assert str(kept) in ran.out


def test_a_sandbox_that_does_not_answer_shows_nobody(habeas: Habeas, world: FakeServer, stack: type[FakeStack]) -> None:
    del world.answers["GET /_sandbox/mails"]
    ran = habeas("demo")
    assert ran.code == 1
    assert ran.err == "habeas: the sandbox did not answer as expected (HTTPStatusError)\n"
    assert stack.stopped == 1


def test_a_stack_that_does_not_start_is_one_plain_line(habeas: Habeas, stack: type[FakeStack]) -> None:
    stack.refuses = LocalStackError("Java 17 is missing; install it.")
    ran = habeas("demo")
    assert (ran.code, ran.err) == (1, "habeas: Java 17 is missing; install it.\n")


def test_an_interrupt_leaves_nothing(habeas: Habeas, stack: type[FakeStack], tmp_path: Path) -> None:
    stack.refuses = KeyboardInterrupt()
    ran = habeas("demo")
    assert (ran.code, ran.err) == (130, "")
    assert list(tmp_path.iterdir()) == []


def test_a_kill_ends_it_as_an_interrupt_does(
    habeas: Habeas, world: FakeServer, stack: type[FakeStack], tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    world.answers["POST /_sandbox/people"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    assert habeas("demo").code == 130
    assert stack.stopped == 1
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before
