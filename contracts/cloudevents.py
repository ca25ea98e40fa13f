"""CloudEvents 1.0 in Kafka's binary mode: attributes are `ce_` headers, the record's value is the data."""

from collections.abc import Mapping
from dataclasses import dataclass

CONTENT_TYPE = "application/json"
PREFIX = "ce_"
REQUIRED = ("id", "source", "specversion", "type")


class NotACloudEvent(ValueError):
    """A record does not carry the attributes of a CloudEvent."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The context attributes that Habeas sends; none ever holds personal data (any intermediary may log them).

    `time` is RFC 3339; `subject` the request, case or processor; `sequence` the version of the request, zero-padded
    so that it sorts as text, for readers that want to detect gaps.
    """

    id: str
    type: str
    source: str
    time: str
    subject: str
    sequence: str | None = None


def to_headers(attributes: Attributes) -> dict[str, str]:
    """Return the record headers of an event, without the proof."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": attributes.id,
        "ce_type": attributes.type,
        "ce_source": attributes.source,
        "ce_time": attributes.time,
        "ce_subject": attributes.subject,
        "content-type": CONTENT_TYPE,
    }
    if attributes.sequence is not None:
        headers["ce_sequence"] = attributes.sequence
    return headers


def from_headers(headers: Mapping[str, str]) -> Attributes:
    """Return the attributes of a record; raise `NotACloudEvent` that says which is missing or of which version."""
    for name in REQUIRED:
        if not headers.get(PREFIX + name):
            msg = f"the header {PREFIX}{name} is missing"
            raise NotACloudEvent(msg)
    if headers["ce_specversion"] != "1.0":
        msg = "only CloudEvents 1.0 is understood"
        raise NotACloudEvent(msg)
    return Attributes(
        id=headers["ce_id"],
        type=headers["ce_type"],
        source=headers["ce_source"],
        time=headers.get("ce_time", ""),
        subject=headers.get("ce_subject", ""),
        sequence=headers.get("ce_sequence"),
    )


def decode_headers(raw: object) -> dict[str, str]:
    """Return a Kafka record's headers as text; raise `NotACloudEvent` for null, binary or repeated ones.

    A repeated name is refused, since two readers could believe two different values of it.
    """
    headers: dict[str, str] = {}
    for name, value in raw or ():  # type: ignore[attr-defined]  # aiokafka types headers loosely
        if name in headers:
            msg = "a header appears twice"
            raise NotACloudEvent(msg)
        if value is None:
            msg = "a header is null"
            raise NotACloudEvent(msg)
        try:
            headers[name] = value.decode("ascii")
        except (UnicodeDecodeError, AttributeError):
            msg = "a header is not ASCII text"
            raise NotACloudEvent(msg) from None
    return headers
