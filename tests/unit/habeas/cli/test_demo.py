"""`habeas demo` against a stack of canned answers: the story, the verdict, and that it tidies up."""

import hashlib
import io
import json
import os
import signal
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

import habeas.local.stack
from habeas.cli import demo_story
from habeas.local.errors import LocalStackError
from tests.unit.habeas.cli.conftest import OUTCOME, FakeServer, Habeas, a_request, a_task, page

PEOPLE = [
    {"email": "a@example.com", "customer_id": "c-1", "name": "Anna", "language": "nl"},
    {"email": "b@example.com", "customer_id": "c-2", "name": "B", "language": "nl", "oddity": "shares a note"},
    {"email": "c@example.com", "customer_id": "c-3", "name": "Carla", "language": "de", "payer": "open invoice"},
    {"email": "jane@example.com", "customer_id": "c-4", "name": "Jane", "language": "en"},
    {"email": "e@example.com", "customer_id": "c-5", "name": "Emil", "language": "nl"},
    {"email": "f@example.com", "customer_id": "c-6", "name": "Femke", "language": "nl"},
    {"email": "g@example.com", "customer_id": "c-7", "name": "G", "language": "nl"},
]
SEEING, CORRECTED, ERASED = "c-5", "c-6", "c-4"
HELD = {"hubspot": 3, "s3": 2, "openai": 4, "stripe": 5, "stripe_kept": 6}
GONE = {"hubspot": 0, "s3": 0, "openai": 0, "stripe": 0, "stripe_kept": 6}
OLD, NEW = "+442079460001", demo_story.NEW_PHONE
RETAINED = {"headline": "fulfilled_with_retention", "lines": [], "complete": True}


def effect(vendor: str, person: str) -> dict[str, Any]:
    name = f"of {person}"
    return {"seq": 1, "vendor": vendor, "effect": "change", "target": name, "person": person, "changed": True}


def ledger(vendor: str, *people: str) -> list[dict[str, Any]]:
    return [{"effects": []}, {"effects": [effect(vendor, person) for person in people]}]


def package() -> httpx.Response:
    """A package with something of each processor."""
    files = {f"{name}/contact.json": '["e@example.com"]' for name in ("ai", "billing", "crm-eu", "files")}
    members = [
        {"name": name, "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        for name, text in files.items()
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as found:
        for name, text in files.items():
            found.writestr(name, text)
        found.writestr("manifest.json", json.dumps({"request": "req_access", "members": members}))
    return httpx.Response(200, content=buffer.getvalue(), headers={"content-type": "application/zip"})


@pytest.fixture
def world(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A sandbox and an orchestrator in which everything goes well."""
    monkeypatch.setattr(demo_story, "MAILS_WITHIN", 0.0)
    mails = [{"to": "x", "subject": subject, "text": f"{subject}.\nBye"} for subject in ("Got it", "Done")]
    fact = {"sequence": 1, "event": "evt_1", "type": "request.received", "at": "2026-01-31T10:00:00Z"}
    rights = {"access": OUTCOME, "rectification": OUTCOME, "erasure": RETAINED}
    requests = [a_request(id=f"req_{right}", right=right, state="received") for right in rights]
    digests = {"digest": "d", "people": dict.fromkeys((SEEING, CORRECTED, ERASED), "d")}
    server.answers = {
        "POST /_sandbox/people": {"people": PEOPLE},
        "GET /_sandbox/state/digest": digests,
        "GET /_sandbox/ledger/hubspot": ledger("hubspot", CORRECTED, ERASED),
        "GET /_sandbox/ledger/stripe": ledger("stripe", CORRECTED, ERASED),
        "GET /_sandbox/ledger/s3": ledger("s3", ERASED),
        "GET /_sandbox/ledger/openai": ledger("openai", ERASED),
        "GET /_sandbox/mails": {"mails": mails},
        "POST /v1/requests": requests,
        "GET /v1/requests/req_erasure/timeline": page(fact),
        "GET /v1/requests/req_access/package": package,
    }
    for person in (SEEING, CORRECTED, ERASED):
        after = GONE if person == ERASED else HELD
        phone = NEW if person == CORRECTED else OLD
        server.answers[f"GET /_sandbox/people/{person}/remains"] = [HELD, after]
        server.answers[f"GET /_sandbox/people/{person}/phones"] = [
            {"hubspot": [OLD], "stripe": [OLD]},
            {"hubspot": [phone], "stripe": [phone]},
        ]
    for right, outcome in rights.items():
        name = f"req_{right}"
        done = a_request(id=name, right=right, state="completed", outcome=outcome)
        task = {"id": f"tsk_{right}", "request": name}
        server.answers[f"GET /v1/requests/{name}"] = [a_request(id=name, right=right), done]
        server.answers[f"GET /v1/requests/{name}/tasks"] = [
            page(a_task(**task)),
            page(a_task(**task, state="settled", phase=None, outcome=OUTCOME)),
        ]
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
        "Emil asks to see it, Femke to have a telephone number corrected",
        "Jane <jane@example.com> asks to be forgotten",
        "erasure  crm-eu  erase  working",
        "erasure  crm-eu  erase  fulfilled (3)",
        "request.received",
        "contact",
        "a ZIP of 4 files",
        "Subject: Done",
        "yes  the access is fulfilled",
        "yes  the rectification is fulfilled",
        "yes  the erasure is fulfilled with retention",
        "yes  now, they hold 0 things at hubspot, 0 things at openai, 0 things at s3, 0 things at stripe",
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
    filed = [json.loads(one.content) for one in world.sent if (one.method, one.url.path) == ("POST", "/v1/requests")]
    assert [one["right"] for one in filed] == ["access", "rectification", "erasure"]
    assert [one["subject"]["identities"] for one in filed] == [
        [{"type": "email", "value": address}] for address in ("e@example.com", "f@example.com", "jane@example.com")
    ]
    assert filed[1]["rectification"] == {"corrections": [{"field": "contact.phone", "to": NEW}]}
    assert {one["subject"]["contact"]["email"] for one in filed} >= {"jane@example.com"}
    assert {one["subject"]["language"] for one in filed} == {"en"}


def test_for_programs_the_verdict_alone_is_on_standard_output(habeas: Habeas, world: FakeServer) -> None:
    ran = habeas("demo", "--json")
    assert ran.code == 0
    assert ran.json["passed"] is True
    assert {check["passed"] for check in ran.json["checks"]} == {True}
    assert "asks to be forgotten" in ran.err


def test_says_no_when_the_books_say_no(
    habeas: Habeas, world: FakeServer, stack: type[FakeStack], tmp_path: Path
) -> None:
    world.answers[f"GET /_sandbox/people/{ERASED}/remains"] = HELD
    ran = habeas("demo")
    assert ran.code == 1
    assert "NO   now, they hold 3 things at hubspot, 4 things at openai, 2 things at s3, 5 things at stripe" in ran.out
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
