"""The one class that a processor author writes."""

from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

from habeas.sdk.errors import CannotFulfil
from habeas.sdk.http import Http
from habeas.sdk.outcome import File, Identity, Item, Record, Results, Wait
from habeas.sdk.task import Context, Correction

ConfigT = TypeVar("ConfigT", bound=BaseModel)

# A processor may answer with an async iterator, or with any iterable from a plain `def` (run in a thread).
Items = AsyncIterator[Item] | Iterable[Item]
Found = AsyncIterator[Item | Identity] | Iterable[Item | Identity]
Exported = AsyncIterator[Record | File] | Iterable[Record | File]


class Processor(Generic[ConfigT]):
    """One enrolled processor: opened once, given many tasks, possibly several at a time.

    Every method may be `async` or plain; plain ones run in a thread and must not touch the event loop. Subclasses
    set `Config`, a pydantic model of settings and secrets, and override what their manifest says they serve.
    Errors: raise from `habeas.sdk.errors`; anything else is taken for a defect.
    """

    Config: ClassVar[type[BaseModel]]

    def __init__(self, *, config: ConfigT, http: Http) -> None:
        """Keep `config` (settings and secrets, validated) and `http` (deadline, size cap and rate limit built in)."""
        self.config = config
        self.http = http

    async def __aenter__(self) -> Self:
        """Open what lives as long as the processor is enrolled."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    async def check(self, ctx: Context) -> None:
        """Prove reach and credentials by a harmless call; raise `CredentialsRejected` or `RetryLater`."""
        raise CannotFulfil("check_not_served")

    def locate(self, ctx: Context) -> Found:
        """Yield every item of the subject, and every further identity that the manifest resolves. Read only.

        Compare the identity of each candidate exactly: a vendor's search is often fuzzy. Raise when the vendor can
        not be reached; an empty answer means that there is nothing.
        """
        raise CannotFulfil("locate_not_served")

    def reread(self, ctx: Context, items: Sequence[Item]) -> Items:
        """Yield those of `items` that still exist, by a strong read (never through a search index).

        `matched` must say whose the item is now: the engine stops before an item that changed hands.
        """
        raise CannotFulfil("reread_not_served")

    def export(self, ctx: Context, items: Sequence[Item]) -> Exported:
        """Yield the data of `items` as records and files."""
        raise CannotFulfil("export_not_served")

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Results:
        """Erase `items`; one result each, or a `Wait`. Items are stored, re-read and cleared of holds beforehand."""
        raise CannotFulfil("erase_not_served")

    async def rectify(self, ctx: Context, items: Sequence[Item], corrections: Sequence[Correction]) -> Results:
        """Write corrections, comparing the old value just before."""
        raise CannotFulfil("rectify_not_served")

    async def restrict(self, ctx: Context, items: Sequence[Item]) -> Results:
        """Mark `items` so that the vendor's users leave them alone (GDPR Article 18)."""
        raise CannotFulfil("restrict_not_served")

    async def lift(self, ctx: Context, items: Sequence[Item]) -> Results:
        """End a restriction."""
        raise CannotFulfil("lift_not_served")

    async def stop(self, ctx: Context, purposes: Sequence[str]) -> Results:
        """Stop processing for `purposes`: consent withdrawn, objection, suppression."""
        raise CannotFulfil("stop_not_served")

    async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Results:
        """Ask the vendor about a job (or take a callback's or a person's `answer`): results, or the next `Wait`."""
        raise CannotFulfil("resume_not_served")

    def verify(self, ctx: Context, items: Sequence[Item]) -> Items | None:
        """Yield what remains of `items` and of the subject after the effect.

        None (the default) lets the engine do it: `reread` of the items, then a fresh `locate`.
        """
        return None
