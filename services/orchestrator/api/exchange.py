"""One HTTP exchange: its id, its trace, and the frame around every answer, also the ones that went wrong."""

import random
import secrets
import time
import traceback
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import SpanKind
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis import metrics, tracing
from services.chassis.log import describe, get_logger
from services.orchestrator.api.problems import ProblemRaised, respond

log = get_logger(__name__)

_KEY = "habeas.exchange"
UNMATCHED = "unmatched"


@dataclass(slots=True)
class Exchange:
    """What is known of one exchange. `id` is ours, never the caller's, so that nothing of theirs gets into logs.

    `traceparent` is the caller's, or the start of a trace of our own; what follows from the exchange hangs below it.
    """

    id: str
    traceparent: str
    route: str = UNMATCHED

    @property
    def trace_id(self) -> str:
        """The trace that this exchange belongs to."""
        return self.traceparent.split("-")[1]


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
        started, began = time.perf_counter(), time.time_ns()
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
            method = _method(scope)
            metrics.HTTP_SECONDS.labels(method, exchange.route, str(status)).observe(time.perf_counter() - started)
            if tracing.sampled(exchange.traceparent):
                _trace(exchange, method, status, began)

    def _open(self, scope: Scope) -> Exchange:
        traceparent = _incoming(scope)
        if traceparent is None:
            flags = "01" if random.random() < self._trace_ratio else "00"  # noqa: S311  # a sample, not a secret
            traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags}"
        return Exchange(secrets.token_hex(12), traceparent)


def _incoming(scope: Scope) -> str | None:
    """Return the caller's trace context; None when there is none to believe."""
    return next(
        (tracing.read(value.decode("latin-1")) for name, value in scope["headers"] if name == b"traceparent"), None
    )


def _trace(exchange: Exchange, method: str, status: int, began: int) -> None:
    tracing.record(
        f"{method} {exchange.route}",
        exchange.traceparent,
        kind=SpanKind.SERVER,
        began=began,
        error=str(status) if status >= 500 else None,
        attributes={
            "http.request.method": method,
            "http.route": exchange.route,
            "http.response.status_code": status,
        },
    )


def _where(error: BaseException) -> str:
    """Return file and line where an exception was raised: all of it that can be logged, for its text may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/services/" in frame.filename] or frames
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(ours[-3:]))


def _method(scope: Scope) -> str:
    """Return the method as a label: one of a handful, whatever a caller invents."""
    method: str = scope["method"]
    return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "other"
