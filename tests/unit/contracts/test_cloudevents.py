"""CloudEvents headers go out and come in as the binary mode has it, and doubtful ones are refused."""

import pytest

from contracts.cloudevents import Attributes, NotACloudEvent, decode_headers, from_headers, to_headers

EVENT = Attributes(
    id="evt_1",
    type="dev.habeas.task.closed.v1",
    source="/habeas/orchestrator",
    time="2026-11-20T09:30:00Z",
    subject="req_1",
)


@pytest.mark.parametrize("sequence", [None, "0000000007"])
def test_attributes_come_out_as_they_went_in(sequence: str | None) -> None:
    event = Attributes(**{**{name: getattr(EVENT, name) for name in EVENT.__slots__}, "sequence": sequence})
    headers = to_headers(event)
    assert from_headers(headers) == event
    assert ("ce_sequence" in headers) is (sequence is not None)
    assert headers["content-type"] == "application/json"


def test_headers_of_others_are_no_trouble() -> None:
    assert from_headers({**to_headers(EVENT), "traceparent": "00-1-2-01", "ce_partitionkey": "x"}) == EVENT


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_specversion", "ce_type"])
def test_a_required_attribute_may_be_neither_absent_nor_empty(name: str) -> None:
    headers = to_headers(EVENT)
    with pytest.raises(NotACloudEvent, match=name):
        from_headers({**headers, name: ""})
    del headers[name]
    with pytest.raises(NotACloudEvent, match=name):
        from_headers(headers)


def test_another_version_is_refused() -> None:
    with pytest.raises(NotACloudEvent, match=r"1\.0"):
        from_headers({**to_headers(EVENT), "ce_specversion": "2.0"})


def test_raw_headers_are_read() -> None:
    assert decode_headers([("ce_id", b"evt_1"), ("traceparent", b"00")]) == {"ce_id": "evt_1", "traceparent": "00"}
    assert decode_headers(None) == {}


@pytest.mark.parametrize(
    "raw",
    [
        [("ce_id", b"one"), ("ce_id", b"two")],  # two readers could believe two values
        [("ce_id", None)],
        [("ce_id", "zoë".encode())],
        [("ce_id", "text")],
    ],
)
def test_doubtful_headers_are_refused(raw: object) -> None:
    with pytest.raises(NotACloudEvent):
        decode_headers(raw)
