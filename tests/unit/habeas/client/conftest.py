"""A server that answers from a script and remembers what it was sent."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from habeas.client import AsyncHabeas, Habeas, Retries

Answer = httpx.Response | Exception

REQUEST = {
    "id": "req_1",
    "object": "request",
    "case": "cas_1",
    "right": "erasure",
    "state": "received",
    "received_at": "2026-01-31T10:00:00Z",
    "due_on": "2026-02-28",
    "outcome": None,
}


def a_request(**changes: Any) -> dict[str, Any]:
    """A request as the API shows it."""
    return {**REQUEST, **changes}


def problem(status: int, code: str, **extra: Any) -> httpx.Response:
    """An RFC 9457 answer."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": f"it is {code}", **extra}
    headers = {"content-type": "application/problem+json", "x-request-id": "rid-7"}
    return httpx.Response(status, content=json.dumps(body), headers=headers)


class Script:
    """Gives `answers` one after the other; keeps each request and each pause."""

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[httpx.Request], Answer]] = []
        self.sent: list[httpx.Request] = []
        self.pauses: list[float] = []

    def then(self, *answers: Answer | dict[str, Any]) -> None:
        """Answer these next; a mapping stands for 200 with that body."""
        self.answers += [httpx.Response(200, json=answer) if isinstance(answer, dict) else answer for answer in answers]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer the way httpx.MockTransport wants it."""
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return answer

    def body(self, index: int = -1) -> Any:
        """The JSON body of one of the calls."""
        return json.loads(self.sent[index].content)

    async def pause(self, seconds: float) -> None:
        """Stand in for asyncio.sleep."""
        self.pauses.append(seconds)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def habeas(script: Script) -> Habeas:
    return Habeas("http://habeas.test/", key="hab_k", transport=httpx.MockTransport(script), sleep=script.pauses.append)


@pytest.fixture
def async_habeas(script: Script) -> AsyncHabeas:
    transport = httpx.MockTransport(script)
    return AsyncHabeas("http://habeas.test", key="hab_k", transport=transport, sleep=script.pause, retries=Retries())
