"""What a call meets before and after the API: latency, throttling, a spent quota, failures, silence, a lost reply."""

import asyncio
from itertools import count, cycle
from uuid import uuid4

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.sandbox.droppable import drop_connection
from services.sandbox.knobs import Fate, OpenAIKnobs
from services.sandbox.openai.calls import ORGANIZATION, OpenAI
from services.sandbox.openai.replies import failure

REQUESTS_A_MINUTE = 10_000


class Gate:
    """ASGI middleware in front of the API. The fate of a call is thrown once and travels in its scope."""

    def __init__(self, app: ASGIApp, account: OpenAI) -> None:
        self._app = app
        self._account = account
        self._failures = cycle((500, 502, 503))
        self._calls = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or make it suffer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        knobs = self._account.dial.knobs
        fate = self._account.dial.fate(f"{scope['method']} {scope['path']}")
        await asyncio.sleep(knobs.latency)
        if fate.hang:
            await _gone(receive)
            return
        refusal = self._refusal(fate, knobs)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope["fate"] = fate
        if fate.hang_after or fate.drop_reply:
            await self._app(scope, receive, _unheard)
            if fate.drop_reply:
                drop_connection(scope)
            await _gone(receive)
            return
        await self._app(scope, receive, self._with_headers(send))

    def _refusal(self, fate: Fate, knobs: OpenAIKnobs) -> Response | None:
        if fate.quota:
            return out_of_quota()
        if fate.rate_limit:
            return throttled(knobs)
        return _failure(next(self._failures)) if fate.fail_5xx else None

    def _with_headers(self, send: Send) -> Send:
        headers = {
            "openai-organization": ORGANIZATION,
            "x-request-id": f"req_{uuid4().hex}",
            **_limits(REQUESTS_A_MINUTE - next(self._calls) % REQUESTS_A_MINUTE, "6ms"),
        }

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        return send_with_headers


def throttled(knobs: OpenAIKnobs) -> Response:
    """429 with a wait in seconds, in milliseconds, in both or in neither, as the knobs say."""
    headers = _limits(0, f"{knobs.rate_limit.seconds}s")
    wait = knobs.rate_limit.header()
    if wait is not None:
        headers["retry-after"] = wait
    if knobs.retry_after_ms is not None:
        headers["retry-after-ms"] = str(knobs.retry_after_ms)
    message = "Rate limit reached for requests. Please try again later."
    return failure(429, message, "requests", code="rate_limit_exceeded", headers=headers)


def out_of_quota() -> Response:
    """429 as well, but nobody's patience helps: the account has no money left."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return failure(429, message, "insufficient_quota", code="insufficient_quota")


def _limits(remaining: int, reset: str) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(REQUESTS_A_MINUTE),
        "x-ratelimit-remaining-requests": str(remaining),
        "x-ratelimit-reset-requests": reset,
    }


def _failure(status: int) -> Response:
    """In turn the application's own error, and the proxy's pages, which are not JSON."""
    if status == 500:
        return failure(500, "The server had an error while processing your request.", "server_error")
    return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status_code=status)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unheard(_: Message) -> None:
    """Take the reply and tell nobody."""
