"""From a raw record to a message that may be believed: headers, proof, type, shape, in that order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from contracts.cloudevents import NotACloudEvent, decode_headers, from_headers
from contracts.message import Message
from contracts.proof import HEADER, processor_of
from contracts.topics import NOTIFIER, Topic
from services.chassis import tracing
from services.chassis.crypto.keys import KeySource
from services.chassis.crypto.proof import Unproven, check
from services.chassis.kafka.incoming import Incoming
from services.chassis.kafka.record_batches import Unreadable


class Raw(Protocol):
    """A record as aiokafka hands it over."""

    @property
    def topic(self) -> str: ...  # the fields of any Kafka record
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that changes nothing: why, and whether its proof held.

    `sender` is the processor that proved it, where it counts to a halt: only what was proven may.
    """

    record: Raw
    reason: str
    proven: bool = False
    event_id: str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A fact of a type that this reader does not know: counted, not kept."""

    record: Raw


@dataclass(frozen=True, slots=True)
class Believed:
    """A record that a handler may act on."""

    record: Raw
    incoming: Incoming[Message]


Decoded = Refused | Skipped | Believed


class Decoder:
    """Decodes the records of some topics. `topics` maps names on the broker to their contract."""

    def __init__(self, topics: dict[str, Topic], keys: KeySource) -> None:
        """Believe what `keys` prove."""
        self._topics = topics
        self._keys = keys
        self._models = {name: {model.wire_type(): model for model in topic.messages} for name, topic in topics.items()}

    def decode(self, record: Raw) -> Decoded:
        """Return what may be done with `record`. Never raises: a record that can is a record that halts everything."""
        if isinstance(record, Unreadable):
            return Refused(record, record.reason)
        try:
            headers = decode_headers(record.headers)
            attributes = from_headers(headers)
        except NotACloudEvent:
            return Refused(record, "not_a_cloudevent")
        key, value = record.key, record.value
        if key is None or value is None:
            return Refused(record, "no_key_or_value", event_id=attributes.id)
        try:
            kid = check(self._keys, headers.get(HEADER), topic=record.topic, key=key, headers=headers, body=value)
        except Unproven as error:
            return Refused(record, error.reason, event_id=attributes.id)
        model = self._models[record.topic].get(attributes.type)
        if model is None:
            if self._topics[record.topic].fact:
                return Skipped(record)
            return Refused(record, "unknown_type", event_id=attributes.id)
        try:
            body = model.model_validate_json(value)
            text = key.decode()
        except (ValidationError, UnicodeDecodeError):
            sender = processor_of(kid)
            return Refused(record, "malformed_body", proven=True, event_id=attributes.id, sender=sender)
        if not _belongs(kid, record.topic, self._topics[record.topic], body):
            return Refused(record, "proof_of_another_processor", event_id=attributes.id)
        trace = tracing.read(headers.get("traceparent"))
        return Believed(
            record, Incoming(record.topic, record.partition, record.offset, text, attributes, kid, body, trace)
        )

    def unknown_kid(self, decoded: Decoded) -> bool:
        """Whether learning of new keys might change the verdict."""
        return isinstance(decoded, Refused) and decoded.reason == "unknown_kid"


def _belongs(kid: str, name: str, topic: Topic, body: Any) -> bool:
    """Whether the processor of the kid is that of the body and, where the topic is a processor's own, of the topic."""
    owner = processor_of(kid)
    if owner != getattr(body, "processor", NOTIFIER):
        return False
    return "{processor}" not in topic.name or name.endswith(topic.named("", owner))
