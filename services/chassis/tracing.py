"""Traces: spans for sampled work only, made after the fact, so that what is not sampled costs one look at a byte."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

# What a span may say; like a log's fields it is a list, since an attribute leaves the house unread by anyone.
ATTRIBUTES: Final = frozenset(
    {
        "habeas.action",
        "habeas.attempt",
        "habeas.outcome",
        "habeas.processor",
        "habeas.request_id",
        "habeas.task_id",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.operation.name",
        "messaging.system",
    }
)

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED_DIGITS = frozenset("13579bdf")
_provider = TracerProvider(sampler=ParentBased(ALWAYS_ON))
_tracer = _provider.get_tracer("habeas")


def configure(service: str, *, endpoint: str | None, exporter: SpanExporter | None = None) -> None:
    """Send spans to the collector at `endpoint` (OTLP over HTTP, such as `http://127.0.0.1:4318`), if there is one.

    A collector that is away costs a bounded buffer and nothing else. `exporter` replaces it in tests.
    """
    global _provider, _tracer  # noqa: PLW0603  # one per process, set before anything is traced
    _provider = TracerProvider(
        sampler=ParentBased(ALWAYS_ON),
        resource=Resource.create({"service.name": f"habeas-{service}", "service.namespace": "habeas"}),
    )
    if exporter is None and endpoint:
        exporter = _over_http(endpoint)
    if exporter is not None:
        _provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=4096, schedule_delay_millis=1000))
    _tracer = _provider.get_tracer("habeas")


def _over_http(endpoint: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 (slow, and only with a collector)

    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)


def shutdown() -> None:
    """Hand over what is left."""
    _provider.shutdown()


def read(header: str | None) -> str | None:
    """Return a W3C `traceparent` that came from outside, reduced to what we know of its flags; None for anything else.

    Nothing proves it: what is kept of it goes into rows, headers and spans.
    """
    match = None if header is None else _TRACEPARENT.fullmatch(header)
    if match is None or match[1] == _NO_TRACE or match[2] == _NO_SPAN:
        return None
    return f"00-{match[1]}-{match[2]}-{int(match[3], 16) & 1:02x}"


def sampled(traceparent: str | None) -> bool:
    """Whether the trace that a W3C `traceparent` stands for is recorded: the last bit of its last byte."""
    return traceparent is not None and traceparent[-1:] in _SAMPLED_DIGITS


def record(
    name: str,
    traceparent: str | None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    began: int,
    ended: int | None = None,
    error: str | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> None:
    """Record what happened from `began` to `ended` (Unix nanoseconds; now) below `traceparent`, if it is sampled.

    An attribute that is not in `ATTRIBUTES` is left out.
    """
    if not sampled(traceparent):
        return
    assert traceparent is not None  # noqa: S101  # sampled() says so
    span = _tracer.start_span(
        name, context=_context(traceparent), kind=kind, start_time=began, attributes=_allowed(attributes or {})
    )
    if error is not None:
        span.set_status(Status(StatusCode.ERROR, error))
    span.end(ended or time.time_ns())


@contextmanager
def span(name: str, traceparent: str | None, attributes: Mapping[str, str | int] | None = None) -> Iterator[None]:
    """Record the block as a span below `traceparent`; an exception marks it as failed by its class alone."""
    if not sampled(traceparent):
        yield
        return
    began = time.time_ns()
    try:
        yield
    except BaseException as error:
        record(name, traceparent, began=began, error=type(error).__name__, attributes=attributes)
        raise
    record(name, traceparent, began=began, attributes=attributes)


def _context(traceparent: str) -> Context:
    _, trace_id, span_id, flags = traceparent.split("-")
    parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return trace.set_span_in_context(NonRecordingSpan(parent))


def _allowed(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name: value for name, value in attributes.items() if name in ATTRIBUTES}
