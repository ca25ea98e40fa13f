"""What a call meets before and after any vendor's API: latency, refusals, failures, silence, a lost reply."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import cycle
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.sandbox.droppable import drop_connection
from services.sandbox.knobs import Dial, Fate


class VendorGate(ABC):
    """ASGI middleware in front of an API. The fate of a call is thrown once and travels in its scope."""

    def __init__(self, app: ASGIApp, dial: Dial[Any]) -> None:
        self._app = app
        self._dial = dial
        self._failures = cycle((500, 502, 503))

    @abstractmethod
    def refusal(self, path: str, fate: Fate) -> Response | None:
        """Return what the vendor answers instead of doing the work, or None."""

    @abstractmethod
    def own_failure(self) -> Response:
        """Return the application's own 500."""

    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Return what the vendor adds to every answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or make it suffer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fate = self._dial.fate(f"{scope['method']} {scope['path']}")
        await asyncio.sleep(self._dial.knobs.latency)
        if fate.hang:
            await _gone(receive)
            return
        refusal = self.refusal(scope["path"], fate) or (self._failure() if fate.fail_5xx else None)
        if refusal is not None:
            await refusal(scope, receive, self._with_headers(send))
            return
        scope["fate"] = fate
        silent = fate.hang_after or fate.drop_reply
        await self._app(scope, receive, _unheard if silent else self._with_headers(send))
        if fate.drop_reply:
            drop_connection(scope)
        if silent:
            await _gone(receive)

    def _failure(self) -> Response:
        """In turn the application's own error, and the proxy's pages, which are not JSON."""
        status = next(self._failures)
        if status == 500:
            return self.own_failure()
        return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status_code=status)

    def _with_headers(self, send: Send) -> Send:
        added = [(name.encode(), value.encode()) for name, value in self.headers().items()]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in named)]
            await send(message)

        return send_with_headers


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unheard(_: Message) -> None:
    """Take the reply and tell nobody."""
