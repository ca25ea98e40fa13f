"""The keys of one processor's enrolment: one for the seal, one for the proof, both from its secret."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contracts.proof import kid_of


def derive(secret: bytes, label: str) -> bytes:
    """Return 32 bytes for `label` from a secret of at least 32 (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=label.encode()).derive(secret)


@dataclass(frozen=True, slots=True)
class ProcessorKeys:
    """What one version of an enrolment secret gives; `kid` names it on the wire."""

    processor: str
    version: int
    sealing: bytes = field(repr=False)
    proving: bytes = field(repr=False)

    @property
    def kid(self) -> str:
        """Return `<processor>/<version>`."""
        return kid_of(self.processor, self.version)

    @classmethod
    def from_secret(cls, processor: str, version: int, secret: bytes) -> "ProcessorKeys":
        """Derive both keys; the labels bind them to processor and version."""
        name = kid_of(processor, version)
        return cls(processor, version, derive(secret, f"habeas seal {name}"), derive(secret, f"habeas proof {name}"))


class KeySource(Protocol):
    """Where a reader finds the keys of a kid."""

    def get(self, kid: str) -> ProcessorKeys | None:
        """Return the keys of `kid` while it is valid."""

    async def refresh(self) -> None:
        """Learn of new enrolments; called when a kid is unknown, before it is called unproven."""


class FixedKeys:
    """A key source that is filled by hand: what a connector host or the notifier holds."""

    def __init__(self, keys: Iterable[ProcessorKeys] = ()) -> None:
        """Hold `keys`."""
        self._by_kid = {one.kid: one for one in keys}

    def get(self, kid: str) -> ProcessorKeys | None:
        """Return the keys of `kid`."""
        return self._by_kid.get(kid)

    async def refresh(self) -> None:
        """Know nothing more than before."""

    def replace(self, keys: Iterable[ProcessorKeys]) -> None:
        """Hold these keys from now on."""
        self._by_kid = {one.kid: one for one in keys}
