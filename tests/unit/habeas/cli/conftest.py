"""A server with canned answers, and a way to run `habeas` against it."""

import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from habeas.cli.main import main

URL = "http://habeas.test"


@dataclass
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class FakeServer:
    """Answers by method and path: the members of a list in turn, staying at the last; what a callable does."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.sent: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.sent.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer()
        if isinstance(answer, httpx.Response):
            return answer
        if answer is None:
            body = {"title": "x", "status": 404, "code": "not_found", "detail": "there is no such thing"}
            return httpx.Response(404, json=body, headers={"x-request-id": "rid-7"})
        return httpx.Response(200, json=answer)

    @property
    def body(self) -> Any:
        return json.loads(self.sent[-1].content)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda transport, request: fake.handle(request))
    return fake


class Terminal:
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


class Habeas:
    """Runs the command as its entry point does."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(arguments)
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)


@pytest.fixture
def habeas(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Habeas:
    monkeypatch.setenv("HABEAS_URL", URL)
    monkeypatch.setenv("HABEAS_API_KEY", "hab_k")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    return Habeas(capsys, monkeypatch)


def page(*items: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(items), "next_cursor": None}


def a_request(**changes: Any) -> dict[str, Any]:
    return {
        "id": "req_1",
        "object": "request",
        "case": "cas_1",
        "right": "erasure",
        "state": "in_progress",
        "received_at": "2026-01-31T10:00:00Z",
        "due_on": "2026-02-28",
        "overdue": False,
        "outcome": None,
        "task_counts": {"total": 3, "settled": 1},
        "attention": None,
        **changes,
    }


def a_task(**changes: Any) -> dict[str, Any]:
    return {
        "id": "tsk_1",
        "request": "req_1",
        "processor": "crm-eu",
        "action": "erase",
        "round": 1,
        "state": "accepted",
        "phase": "working",
        "dispatch_no": 2,
        **changes,
    }


OUTCOME = {
    "headline": "fulfilled",
    "lines": [{"category": "contact", "disposition": "erased", "count": 3, "checked": "verified"}],
    "complete": True,
}
