"""Spans are made for sampled work alone, below the context that came with it, and say only what is on the list."""

import time
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.chassis import tracing

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.configure("test", endpoint=None, exporter=exporter)
    yield exporter
    tracing.configure("test", endpoint=None)


@pytest.mark.parametrize(
    ("traceparent", "expected"),
    [(SAMPLED, True), (UNSAMPLED, False), (None, False), ("", False), (SAMPLED[:-2] + "03", True)],
)
def test_reads_the_sampled_flag(traceparent: str | None, expected: bool) -> None:
    assert tracing.sampled(traceparent) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (SAMPLED, SAMPLED),
        (UNSAMPLED, UNSAMPLED),
        (SAMPLED[:-2] + "ff", SAMPLED),
        (None, None),
        ("", None),
        ("1", None),
        ("00-zz-zz-01", None),
        (f"{SAMPLED}-more", None),
        (SAMPLED.upper(), None),
        (f"{SAMPLED}\n", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
    ],
)
def test_takes_from_outside_what_is_a_context_and_nothing_else(header: str | None, expected: str | None) -> None:
    assert tracing.read(header) == expected


def test_a_span_hangs_below_the_context_that_came(spans: InMemorySpanExporter) -> None:
    began = time.time_ns()
    tracing.record("process task.settled", SAMPLED, began=began, attributes={"habeas.task_id": "tsk_1"})
    tracing.shutdown()
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert span.start_time == began
    assert span.attributes == {"habeas.task_id": "tsk_1"}


def test_what_is_not_sampled_leaves_no_span(spans: InMemorySpanExporter) -> None:
    tracing.record("process", UNSAMPLED, began=1)
    with tracing.span("work", None):
        pass
    tracing.shutdown()
    assert spans.get_finished_spans() == ()


def test_an_attribute_that_is_not_on_the_list_is_left_out(spans: InMemorySpanExporter) -> None:
    tracing.record(
        "process", SAMPLED, began=1, attributes={"habeas.email": "jane@example.com", "habeas.processor": "crm-eu"}
    )
    tracing.shutdown()
    (span,) = spans.get_finished_spans()
    assert span.attributes == {"habeas.processor": "crm-eu"}


def test_a_failed_block_is_marked_by_the_class_of_its_error(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ZeroDivisionError), tracing.span("work", SAMPLED):
        raise ZeroDivisionError("jane@example.com")
    tracing.shutdown()
    (span,) = spans.get_finished_spans()
    assert (span.status.is_ok, span.status.description, span.events) == (False, "ZeroDivisionError", ())
