"""A message on its way out: what the outbox keeps and the relay sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send. `key` decides its partition; `value` is already proven, so nothing may change it."""

    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes = field(repr=False)
