"""What a call meets before and after the API: latency, throttling, failures, silence, a lost reply."""

import asyncio
from itertools import cycle

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.sandbox.droppable import drop_connection
from services.sandbox.knobs import RateLimit
from services.sandbox.stripe.calls import STABLE, Stripe
from services.sandbox.stripe.replies import envelope, request_id


class Gate:
    """ASGI middleware in front of the API. The fate of a call is thrown once and travels in its scope."""

    def __init__(self, app: ASGIApp, account: Stripe) -> None:
        self._app = app
        self._account = account
        self._failures = cycle((500, 502, 503))

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
        elif fate.rate_limit:
            await throttled(knobs.rate_limit)(scope, receive, _named(send))
        elif fate.fail_5xx:
            await _failure(next(self._failures))(scope, receive, _named(send))
        else:
            scope["fate"] = fate
            silent = fate.hang_after or fate.drop_reply
            await self._app(scope, receive, _unheard if silent else _named(send))
            if fate.drop_reply:
                drop_connection(scope)
            if silent:
                await _gone(receive)


def throttled(limit: RateLimit) -> Response:
    """429 with Stripe's body. The vendor seldom sends Retry-After; which form it takes is the knob's."""
    wait = limit.header()
    headers = {"Stripe-Should-Retry": "true"} | ({"Retry-After": wait} if wait is not None else {})
    return envelope(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit", headers=headers)


def _failure(status: int) -> Response:
    """In turn the application's own error, and the proxy's pages, which are not JSON."""
    if status == 500:
        return envelope(
            500, "api_error", "Sorry, there was an error on our end.", headers={"Stripe-Should-Retry": "true"}
        )
    return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status_code=status)


def _named(send: Send) -> Send:
    """Let every answer carry the vendor's name of the call and its version."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            named = [(b"request-id", request_id().encode()), (b"stripe-version", STABLE.encode())]
            message["headers"] = [*message["headers"], *named]
        await send(message)

    return send_named


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unheard(_: Message) -> None:
    """Take the reply and tell nobody."""
