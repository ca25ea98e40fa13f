"""Makes a message ready for the outbox: CloudEvents headers, body, proof and trace context."""

from datetime import UTC, datetime
from functools import lru_cache

from contracts.cloudevents import Attributes, to_headers
from contracts.message import Message
from contracts.proof import HEADER
from contracts.topics import Topic
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.proof import prove
from services.chassis.kafka.outgoing import Outgoing


class Composer:
    """Composes what one service sends. `source` becomes the CloudEvents source `/habeas/<source>`."""

    def __init__(self, *, source: str, namespace: str) -> None:
        """Send in the name of `source`, to the topics of `namespace`."""
        self._source = f"/habeas/{source}"
        self._namespace = namespace
        self._names: dict[tuple[str, str], str] = {}

    def compose(
        self,
        topic: Topic,
        body: Message,
        *,
        key: str,
        keys: ProcessorKeys,
        event_id: str,
        subject: str,
        at: datetime,
        traceparent: str | None = None,
        sequence: int | None = None,
    ) -> Outgoing:
        """Return `body` as a record of `topic`, proven with `keys`; a topic of a processor takes its name from them."""
        name = self._name(topic, keys.processor)
        value = body.model_dump_json().encode()
        headers = to_headers(
            Attributes(
                id=event_id,
                type=body.wire_type(),
                source=self._source,
                time=_rfc3339(at),
                subject=subject,
                sequence=None if sequence is None else f"{sequence:010d}",
            )
        )
        headers[HEADER] = prove(keys, topic=name, key=key.encode(), headers=headers, body=value)
        if traceparent is not None:
            headers["traceparent"] = traceparent
        return Outgoing(name, key, headers, value)

    def _name(self, topic: Topic, processor: str) -> str:
        place = (topic.name, processor)
        if place not in self._names:
            self._names[place] = topic.named(self._namespace, processor)
        return self._names[place]


@lru_cache(maxsize=64)
def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
