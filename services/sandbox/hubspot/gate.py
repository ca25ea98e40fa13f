"""What a call meets before and after the API: latency, throttling, failures, silence, a lost reply."""

import asyncio
from itertools import cycle

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.sandbox.droppable import drop_connection
from services.sandbox.hubspot.calls import HubSpot
from services.sandbox.hubspot.replies import envelope
from services.sandbox.knobs import RateLimit

_LIMITS = {"DAILY": "daily limit", "SECONDLY": "secondly limit", "TEN_SECONDLY_ROLLING": "ten_secondly_rolling limit"}


class Gate:
    """ASGI middleware in front of the API. The fate of a call is thrown once and travels in its scope."""

    def __init__(self, app: ASGIApp, account: HubSpot) -> None:
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
            return
        refusal = self._refusal(scope["path"], rate_limited=fate.rate_limit, failed=fate.fail_5xx)
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
        await self._app(scope, receive, self._with_limits(send))

    def _refusal(self, path: str, *, rate_limited: bool, failed: bool) -> Response | None:
        knobs = self._account.dial.knobs
        if self._account.ten_seconds.full(knobs.ten_secondly):
            return throttled(RateLimit(policy="TEN_SECONDLY_ROLLING", seconds=10))
        if path.endswith("/search") and self._account.second.full(knobs.search_secondly):
            # The search bucket's refusals carry no Retry-After.
            return throttled(RateLimit(policy="SECONDLY", retry_after="none"))
        if rate_limited:
            return throttled(knobs.rate_limit)
        return _failure(next(self._failures)) if failed else None

    def _with_limits(self, send: Send) -> Send:
        limit = self._account.dial.knobs.ten_secondly or 190
        headers = {
            "x-hubspot-ratelimit-interval-milliseconds": "10000",
            "x-hubspot-ratelimit-max": str(limit),
            "x-hubspot-ratelimit-remaining": str(self._account.ten_seconds.left(limit)),
        }

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        return send_with_limits


def throttled(limit: RateLimit) -> Response:
    """429 with HubSpot's body; the policy tells a burst from the day's quota."""
    wait = limit.header()
    return envelope(
        429,
        f"You have reached your {_LIMITS[limit.policy]}.",
        {"Retry-After": wait} if wait is not None else {},
        errorType="RATE_LIMIT",
        policyName=limit.policy,
        groupName="publicapi:private-apps-api-calls",
    )


def _failure(status: int) -> Response:
    """In turn the application's own error, and the proxy's pages, which are not JSON."""
    if status == 500:
        return envelope(500, "internal error", {})
    return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status_code=status)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unheard(_: Message) -> None:
    """Take the reply and tell nobody."""
