"""A record that was believed: proven, decoded and valid."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contracts.cloudevents import Attributes
from contracts.message import Message

MessageT_co = TypeVar("MessageT_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class Incoming(Generic[MessageT_co]):
    """One message with the place it came from and the kid whose proof held."""

    topic: str
    partition: int
    offset: int
    key: str
    attributes: Attributes
    kid: str
    body: MessageT_co = field(repr=False)
    traceparent: str | None = None

    @property
    def event_id(self) -> str:
        """Return the event's id: the same for every copy of the message."""
        return self.attributes.id
