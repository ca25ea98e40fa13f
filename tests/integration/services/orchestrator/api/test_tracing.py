"""The trace of an exchange: its id is answered, a caller's trace goes on, and a span says route and status only."""

from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.chassis import tracing
from tests.integration.services.orchestrator.conftest import Api

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.configure("orchestrator", endpoint=None, exporter=exporter)
    yield exporter
    tracing.configure("orchestrator", endpoint=None)


async def test_a_sampled_exchange_is_a_span_below_the_caller_s(
    caller: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    path = "/v1/requests/req_01J00000000000000000000000"
    answer = await caller.get(path, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    assert answer.headers["trace-id"] == TRACE
    tracing.shutdown()
    (span,) = spans.get_finished_spans()
    assert span.name == "GET /v1/requests/{request_id}"
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, CALLER)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/requests/{request_id}",
        "http.response.status_code": 404,
    }


@pytest.mark.parametrize(
    "sent",
    [
        f"00-{TRACE}-{CALLER}-00",
        f"00-{'0' * 32}-{CALLER}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"01-{TRACE}-{CALLER}-01",
        f"00-{TRACE.upper()}-{CALLER}-01",
        "jane@example.com",
    ],
)
async def test_a_trace_that_is_not_sampled_or_malformed_leaves_no_span(
    api: Api, caller: httpx.AsyncClient, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.99)  # no trace of our own is sampled
    answer = await caller.get("/v1/requests", headers={"traceparent": sent})
    assert answer.status_code == 200
    assert (answer.headers["trace-id"] == TRACE) == sent.endswith("-00")
    tracing.shutdown()
    assert spans.get_finished_spans() == ()
