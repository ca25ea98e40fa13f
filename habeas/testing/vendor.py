"""What the conformance kit asks of an author: a vendor that can be filled, looked into and upset."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

import httpx

from habeas.sdk import Identity, Manifest, Processor
from habeas.sdk.http import authorities
from habeas.testing.faults import Fault, FaultyTransport

_numbers = count(1)


class NotArranged(Exception):
    """The vendor under test cannot be brought to do this; the kit skips what needs it and says what to add."""

    def __init__(self, add: str = "the vendor under test raised NotArranged: it cannot be brought to do this") -> None:
        """Take `add`: what the author would write for the test to run."""
        super().__init__(add)


class VendorUnderTest(ABC):
    """A vendor's test double or sandbox, with the truth about what it holds.

    Five methods must be written; each of the others makes more tests run. They go around the processor: straight to
    the double's own state. No `__init__` of this class needs to be called.
    """

    calls: int = 0
    """How many calls went through `transport` since `suffer` or `recover`."""

    wired: bool = False
    """Whether `transport` was asked for."""

    _fault: Fault | None = None
    _at: int | None = None
    seen: Sequence[httpx.Request] = ()
    """Every request that went through `transport`, faults included."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        """Return the processor, connected to this vendor, as an async context manager.

        Give its `Http` `transport=self.transport()`, and the kit can let every fault of a network befall it. The
        processor is opened for each run of a task, unless a task runs beside another one.
        """

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
        raise NotArranged("add `async def busy(self)` to your VendorUnderTest: from then on the vendor says try later")

    async def lie(self) -> None:
        """From now on, answer every effect with success and change nothing."""
        raise NotArranged("add `async def lie(self)` to your VendorUnderTest: from then on effects change nothing")

    async def partly(self) -> None:
        """From now on, do a part of what is asked about a person and refuse the rest for good, in the vendor's own way.

        An entry under `errors` in a 200, say, or a lock on one of their things. It may concern only people who are put
        there after it.
        """
        raise NotArranged(
            "add `async def partly(self)` to your VendorUnderTest: from then on some of each person's things can not go"
        )

    async def calm(self) -> None:
        """Behave again."""
        raise NotArranged("add `async def calm(self)` to your VendorUnderTest: the end of busy(), lie(), partly()")

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        """Return texts that the vendor holds on this person and that a copy of their data must contain.

        A name, the text of a note, the content of a file; nothing that other people have too.
        """
        raise NotArranged(
            "add `async def known_texts(self, identities)` to your VendorUnderTest: what a copy must hold"
        )

    async def value(self, identities: Sequence[Identity], field: str) -> str | None:
        """Return what the vendor really holds of this person in `field`, a register key of the manifest's `fields`."""
        raise NotArranged(
            "add `async def value(self, identities, field)` to your VendorUnderTest: what it really holds"
        )

    def new_value(self, field: str) -> str:
        """Return a value, different each time, to which `field` may be corrected."""
        number = next(_numbers)
        match field.rpartition(".")[2]:
            case "email":
                return f"corrected-{number}@example.org"
            case "phone":
                return f"+1555{8_000_000 + number}"
            case _:
                return f"Corrected {number}"

    def transport(self, inner: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncBaseTransport:
        """Return what to give to `Http(transport=...)`: passes calls on to `inner` (the network), faults excepted."""
        self.wired = True
        return FaultyTransport(inner or httpx.AsyncHTTPTransport(verify=authorities()), self._befall)

    async def suffer(self, trouble: str, fault: Fault, *, at: int | None = None) -> None:
        """From now on let `fault` befall every call, or only the one with the number `at` from now (from 0).

        Override it where the vendor is not reached through `Http`; `trouble` says in a word what is wanted
        (`rate_limited`, `hanging`, `lost_reply`, ...), and `NotArranged` is the answer to what cannot be done.
        """
        if not self.wired:
            raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
        self._fault, self._at, self.calls = fault, at, 0

    async def recover(self) -> None:
        """End what `suffer` began."""
        self._fault, self._at, self.calls = None, None, 0

    def _befall(self, _: int, request: httpx.Request) -> Fault | None:
        number, self.calls = self.calls, self.calls + 1
        self.seen = [*self.seen[-10_000:], request]
        return self._fault if self._at is None or self._at == number else None
