"""One HTTP exchange: its id, its trace, and the frame around every answer, also the ones that went wrong."""

import random
import re
import secrets
import time
import traceback
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis import metrics
from services.chassis.log import describe, get_logger
from services.orchestrator.api.problems import ProblemRaised, respond

log = get_logger(__name__)

_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NO_TRACE = b"0" * 32
_NO_SPAN = b"0" * 16
_KEY = "habeas.exchange"
UNMATCHED = "unmatched"


@dataclass(slots=True)
class Exchange:
    """What is known of one exchange. `id` is ours, never the caller's, so that nothing of theirs gets into logs."""

    id: str
    trace_id: str
    sampled: bool
    route: str = UNMATCHED

    @property
    def traceparent(self) -> str:
        """The context for what follows from this exchange (W3C Trace Context), with a span id of its own."""
        return f"00-{self.trace_id}-{secrets.token_hex(8)}-{'01' if self.sampled else '00'}"


def exchange_of(scope: Any) -> Exchange:
    """Return the exchange of an ASGI scope or a request."""
    found: Exchange = scope[_KEY]
    return found


class Envelope:
    """Gives every answer its id, its trace id and `no-store`; turns what nobody caught into a 500 without text."""

    def __init__(self, app: ASGIApp, *, trace_ratio: float) -> None:
        """Wrap `app`; `trace_ratio` of the exchanges that bring no trace are sampled."""
        self._app = app
        self._trace_ratio = trace_ratio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one exchange."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = self._open(scope)
        scope[_KEY] = exchange
        started = time.perf_counter()
        status = 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                headers["x-request-id"] = exchange.id
                headers["trace-id"] = exchange.trace_id
                headers["cache-control"] = "no-store"
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except Exception as error:  # noqa: BLE001  # the caller learns that it failed, and nothing else
            log.error(
                "http.failed",
                error=describe(error),
                reason=_where(error),
                route=exchange.route,
                x_request_id=exchange.id,
            )
            if not status:
                raised = ProblemRaised("internal_error", "The mistake is ours. Try again; quote the request id.")
                await respond(raised, exchange.id)(scope, receive, framed)
        finally:
            metrics.HTTP_SECONDS.labels(_method(scope), exchange.route, str(status)).observe(
                time.perf_counter() - started
            )

    def _open(self, scope: Scope) -> Exchange:
        trace, sampled = _incoming(scope)
        if trace is None:
            return Exchange(secrets.token_hex(12), secrets.token_hex(16), random.random() < self._trace_ratio)  # noqa: S311
        return Exchange(secrets.token_hex(12), trace, sampled)


def _incoming(scope: Scope) -> tuple[str | None, bool]:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            match = _TRACEPARENT.fullmatch(value)
            if match is not None and match[1] != _NO_TRACE and match[2] != _NO_SPAN:
                return match[1].decode(), bool(int(match[3], 16) & 1)
    return None, False


def _where(error: BaseException) -> str:
    """Return file and line where an exception was raised: all of it that can be logged, for its text may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/services/" in frame.filename] or frames
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(ours[-3:]))


def _method(scope: Scope) -> str:
    """Return the method as a label: one of a handful, whatever a caller invents."""
    method: str = scope["method"]
    return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "other"
