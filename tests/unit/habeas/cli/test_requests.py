"""`habeas requests`: each command's table, its JSON, and how it fails."""

import json
import sys
from pathlib import Path

import httpx
import pytest

from tests.unit.habeas.cli.conftest import OUTCOME, FakeServer, Habeas, Terminal, a_request, a_task, page

TIMELINE = [
    {"sequence": 1, "event": "evt_1", "type": "request.received", "at": "2026-01-31T10:00:00Z", "actor": "demo"},
    {
        "sequence": 2,
        "event": "evt_2",
        "type": "task.settled",
        "at": "2026-01-31T10:00:01.500Z",
        "task": "tsk_1",
        "processor": "crm-eu",
        "detail": {"headline": "fulfilled", "lines": []},
    },
]


def test_file(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/requests"] = httpx.Response(201, json=a_request(state="received"))
    person = ("--email", "jane@example.com", "--customer-id", "c-42", "--identity", "phone=+31 20=1")
    extra = ("--contact", "j@example.com", "--language", "nl", "--country", "NL", "--reference", "T-1")
    ran = habeas(
        "requests", "file", "--right", "erasure", *person, *extra,
        "--received-at", "2026-01-31T10:00:00", "--idempotency-key", "k-1",
    )  # fmt: skip
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "Filed req_1: erasure, due 2026-02-28",
        "Follow it with: habeas requests watch req_1",
    ]
    assert server.sent[-1].headers["idempotency-key"] == '"k-1"'
    assert server.body == {
        "right": "erasure",
        "subject": {
            "identities": [
                {"type": "email", "value": "jane@example.com"},
                {"type": "customer_id", "value": "c-42"},
                {"type": "phone", "value": "+31 20=1"},
            ],
            "contact": {"email": "j@example.com"},
            "language": "nl",
            "country": "NL",
        },
        "requester": {"relation": "self"},
        "identity_check": {"method": "client_asserted"},
        "received_at": "2026-01-31T10:00:00+00:00",
        "reference": "T-1",
    }


SUBJECT = {"identities": [{"type": "email", "value": "jane@example.com"}], "language": "en"}


def test_file_from_standard_input(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/requests"] = a_request()
    ran = habeas(
        "requests", "file", "--right", "access", "--language", "nl", "--from", "-", "--json",
        stdin=json.dumps({"subject": SUBJECT, "channel": "letter"}),
    )  # fmt: skip
    assert ran.json["id"] == "req_1"
    assert server.body == {
        "right": "access",
        "subject": {**SUBJECT, "language": "nl"},
        "channel": "letter",
        "identity_check": {"method": "client_asserted"},
    }


def test_file_from_a_file_is_sent_as_it_stands(habeas: Habeas, server: FakeServer, tmp_path: Path) -> None:
    server.answers["POST /v1/requests"] = a_request()
    body = {"right": "erasure", "subject": SUBJECT, "identity_check": {"method": "letter"}, "metadata": {"a": "b"}}
    (tmp_path / "person.json").write_text(json.dumps(body))
    assert habeas("requests", "file", "--from", str(tmp_path / "person.json")).code == 0
    assert server.body == body


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("--right", "erasure"), "", "who is it about"),
        (("--email", "jane@example.com"), "", "which right"),
        (("--right", "erasure", "--identity", "phone"), "", "type=value"),
        (("--right", "erasure", "--email", "jane@example.com", "--received-at", "yesterday"), "", "a time is written"),
        (("--right", "erasure", "--from", "-"), "jane@example.com", "is not JSON"),
        (("--right", "erasure", "--from", "-"), '["jane@example.com"]', "one request"),
        (("--right", "erasure", "--from", "-"), "{}", "must have a"),
        (("--right", "erasure", "--from", "nowhere.json"), "", "cannot read nowhere.json"),
        (("--right", "erasure", "--from", "-", "--email", "jane@example.com"), "{}", "not both"),
        (("--right", "erasure", "--email", "a@b.eu", "--idempotency-key", "é"), "", "idempotency key"),
    ],
)
def test_file_mistakes_are_one_plain_line_and_show_nobody(
    habeas: Habeas, server: FakeServer, arguments: tuple[str, ...], stdin: str, says: str
) -> None:
    ran = habeas("requests", "file", *arguments, stdin=stdin)
    assert ran.code == 1
    assert says in ran.err
    assert ran.err.startswith("habeas: ")
    assert ran.err.count("\n") == 1
    assert "jane" not in ran.err
    assert server.sent == []


def test_a_refused_field_is_named(habeas: Habeas, server: FakeServer) -> None:
    errors = [{"pointer": "/right", "detail": "not a right"}]
    problem = {"code": "invalid_body", "detail": "the body is not valid", "status": 422, "errors": errors}
    server.answers["POST /v1/requests"] = httpx.Response(422, json=problem, headers={"x-request-id": "rid-7"})
    ran = habeas("requests", "file", "--right", "nonsense", "--email", "jane@example.com")
    assert ran.code == 1
    assert ran.err == ("habeas: the body is not valid (invalid_body); /right: not a right [request id rid-7]\n")


def test_list(habeas: Habeas, server: FakeServer) -> None:
    silent = {"reason": "silent", "since": "2026-01-31T10:00:00Z"}
    done = a_request(id="req_22", state="completed", outcome=OUTCOME, task_counts=None)
    server.answers["GET /v1/requests"] = page(a_request(attention=silent), done)
    ran = habeas("requests", "list", "--attention", "--state", "in_progress", "--limit", "2")
    head, first, second = ran.out.splitlines()
    assert head.split() == ["REQUEST", "RIGHT", "STATE", "DUE", "TASKS", "OUTCOME", "ATTENTION"]
    assert first.split() == ["req_1", "erasure", "in", "progress", "2026-02-28", "1/3", "-", "silent"]
    assert second.split() == ["req_22", "erasure", "completed", "2026-02-28", "-", "fulfilled", "-"]
    assert head.index("STATE") == first.index("in progress") == second.index("completed")
    assert dict(server.sent[0].url.params) == {"attention": "true", "state": "in_progress", "limit": "2"}


def test_list_stops_at_its_limit(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests"] = {"data": [a_request(), a_request(id="req_2")], "next_cursor": "more"}
    ran = habeas("requests", "list", "--limit", "3", "--json")
    assert [request["id"] for request in ran.json] == ["req_1", "req_2", "req_1"]
    assert len(server.sent) == 2


def test_list_of_nothing(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests"] = page()
    assert habeas("requests", "list").out == "No such requests.\n"
    assert habeas("requests", "list", "--json").json == []


def test_show(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests/req_1"] = a_request(state="completed", outcome=OUTCOME, reference="T-1")
    server.answers["GET /v1/requests/req_1/tasks"] = page(a_task(state="settled", outcome=OUTCOME))
    ran = habeas("requests", "show", "req_1")
    for fragment in ("completed", "T-1", "2026-02-28", "tsk_1", "crm-eu", "contact", "erased", "verified"):
        assert fragment in ran.out
    shown = habeas("requests", "show", "req_1", "--json").json
    assert shown["tasks"][0]["id"] == "tsk_1"
    assert shown["outcome"]["lines"][0]["count"] == 3


def test_trace(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests/req_1/timeline"] = page(*TIMELINE)
    ran = habeas("requests", "trace", "req_1")
    head, received, settled = ran.out.splitlines()
    assert head.split() == ["AFTER", "WHEN", "WHAT", "PROCESSOR", "DETAIL"]
    assert received.startswith("+0.000 s")
    assert settled.startswith("+1.500 s")
    assert "crm-eu" in settled
    assert "headline=fulfilled" in settled
    assert head.index("WHAT") == received.index("request.received") == settled.index("task.settled")
    assert [entry["sequence"] for entry in habeas("requests", "trace", "req_1", "--json").json] == [1, 2]


def test_watch_tells_each_change_once(habeas: Habeas, server: FakeServer) -> None:
    working, settled = page(a_task()), page(a_task(state="settled", phase=None, outcome=OUTCOME))
    server.answers["GET /v1/requests/req_1"] = [a_request(), a_request(), a_request(state="completed", outcome=OUTCOME)]
    server.answers["GET /v1/requests/req_1/tasks"] = [working, working, settled]
    ran = habeas("requests", "watch", "req_1")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "crm-eu  erase  working",
        "req_1  in progress",
        "crm-eu  erase  fulfilled (3)",
        "req_1  completed",
        "outcome  fulfilled",
        "",
        "CATEGORY  DISPOSITION  COUNT  CHECKED   GROUND  UNTIL  REASON",
        "contact   erased       3      verified  -       -      -     ",
    ]


def test_watch_ends_with_what_is_kept_and_until_when(habeas: Habeas, server: FakeServer) -> None:
    kept = {"category": "invoices", "disposition": "retained", "count": 3, "checked": "verified"}
    kept |= {"ground": "tax_law", "until": "2034-01-01"}
    outcome = {"headline": "refused", "lines": [kept], "complete": True}
    server.answers["GET /v1/requests/req_1"] = a_request(state="completed", outcome=outcome)
    server.answers["GET /v1/requests/req_1/tasks"] = page()
    last = habeas("requests", "watch", "req_1").out.splitlines()[-1]
    assert last.split() == ["invoices", "retained", "3", "verified", "tax_law", "2034-01-01", "-"]


def test_watch_for_programs_prints_the_end_alone(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests/req_1"] = [a_request(), a_request(state="cancelled")]
    server.answers["GET /v1/requests/req_1/tasks"] = page()
    assert habeas("requests", "watch", "req_1", "--json").json["state"] == "cancelled"


def test_watch_gives_up(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/requests/req_1"] = a_request()
    server.answers["GET /v1/requests/req_1/tasks"] = page()
    ran = habeas("requests", "watch", "req_1", "--timeout", "0")
    assert ran.code == 1
    assert ran.err == "habeas: req_1 is still in_progress after 0 s\n"


def test_watch_draws_a_board_on_a_terminal(habeas: Habeas, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["GET /v1/requests/req_1"] = [a_request(), a_request(state="completed", outcome=OUTCOME)]
    server.answers["GET /v1/requests/req_1/tasks"] = page(a_task())
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert habeas("requests", "watch", "req_1").code == 0
    assert "crm-eu     \x1b[36mworking" in terminal.text
    assert terminal.text.index("in progress") < terminal.text.index("completed")


@pytest.mark.parametrize(("verb", "says"), [("cancel", "req_1 is cancelled"), ("retry", "is sent again")])
def test_cancel_and_retry(habeas: Habeas, server: FakeServer, verb: str, says: str) -> None:
    server.answers[f"POST /v1/requests/req_1/{verb}"] = a_request(state="cancelled")
    assert says in habeas("requests", verb, "req_1").out
    assert habeas("requests", verb, "req_1", "--json").json["id"] == "req_1"


@pytest.mark.parametrize("verb", ["show", "trace", "watch", "cancel", "retry"])
def test_an_unknown_request_is_one_plain_line(habeas: Habeas, server: FakeServer, verb: str) -> None:
    ran = habeas("requests", verb, "req_0")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "habeas: there is no such thing (not_found) [request id rid-7]\n"


def test_a_correction_names_field_and_value(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/requests"] = a_request(right="rectification")
    ran = habeas(
        *("requests", "file", "--right", "rectification", "--email", "jane@example.com"),
        *("--correct", "contact.phone=+31201234567", "--correct", "contact.email=j=d@example.com"),
        *("--old", "contact.phone=+31207654321"),
    )
    assert ran.code == 0
    assert server.body["rectification"] == {
        "corrections": [
            {"field": "contact.phone", "from": "+31207654321", "to": "+31201234567"},
            {"field": "contact.email", "to": "j=d@example.com"},
        ]
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--correct", "contact.phone"], "--correct is written field=value, such as contact.phone=+31201234567"),
        (["--correct", "=x"], "--correct is written field=value, such as contact.phone=+31201234567"),
        (["--old", "contact.phone=1"], "--old names contact.phone: say with --correct what it should be"),
    ],
)
def test_a_correction_that_says_too_little(habeas: Habeas, server: FakeServer, options: list[str], says: str) -> None:
    ran = habeas("requests", "file", "--right", "rectification", "--email", "jane@example.com", *options)
    assert (ran.code, ran.err) == (1, f"habeas: {says}\n")
    assert server.sent == []


def test_a_file_takes_corrections_from_the_options(habeas: Habeas, server: FakeServer, tmp_path: Path) -> None:
    server.answers["POST /v1/requests"] = a_request(right="rectification")
    file = tmp_path / "person.json"
    file.write_text('{"subject": {"identities": [{"type": "email", "value": "jane@example.com"}]}}')
    habeas("requests", "file", "--right", "rectification", "--from", str(file), "--correct", "contact.phone=+3120")
    assert server.body["rectification"] == {"corrections": [{"field": "contact.phone", "to": "+3120"}]}
