"""What the conformance kit asks of an author: a vendor that can be filled, looked into and upset."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from habeas.sdk import Identity, Manifest, Processor


class NotArranged(Exception):
    """The vendor under test can not be brought to do this; the kit skips what needs it."""


class VendorUnderTest(ABC):
    """A vendor's test double or sandbox, with the truth about what it holds.

    Its methods go around the processor: straight to the double's own state.
    """

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        """Return the processor, connected to this vendor, as an async context manager."""

    @property
    @abstractmethod
    def manifest(self) -> Manifest:
        """Return the manifest that is tested."""

    @abstractmethod
    async def person(self) -> Sequence[Identity]:
        """Put a new person with data in every category that is easily made; return what they are known by."""

    @abstractmethod
    async def remains(self, identities: Sequence[Identity]) -> int:
        """Return how many things the vendor really holds on this person."""

    @abstractmethod
    async def nobody(self) -> Sequence[Identity]:
        """Return identities, of accepted types, of somebody that the vendor has never heard of."""

    async def busy(self) -> None:
        """From now on, answer every call with "try later"."""
        raise NotArranged

    async def lie(self) -> None:
        """From now on, answer every effect with success and change nothing."""
        raise NotArranged

    async def calm(self) -> None:
        """Behave again."""
        raise NotArranged
