"""The one class that a processor author writes."""

from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

from habeas.sdk.errors import CannotFulfil
from habeas.sdk.http import Http
from habeas.sdk.outcome import File, Identity, Item, Record, Results, Unlisted, Values, Wait
from habeas.sdk.task import Change, Context

ConfigT = TypeVar("ConfigT", bound=BaseModel)

# A processor may answer with an async iterator, or with any iterable from a plain `def` (run in a thread).
Items = AsyncIterator[Item] | Iterable[Item]
Found = AsyncIterator[Item | Identity | Unlisted] | Iterable[Item | Identity | Unlisted]
Answered = Awaitable[Results] | Results
Exported = AsyncIterator[Record | File] | Iterable[Record | File]
Read = AsyncIterator[Values] | Iterable[Values]


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

    def check(self, ctx: Context) -> Awaitable[None] | None:
        """Prove reach and credentials by a harmless call; raise `CredentialsRejected` or `RetryLater`."""
        raise CannotFulfil("check_not_served")

    def locate(self, ctx: Context) -> Found:
        """Yield every item of the subject, and every further identity that the manifest resolves. Read only.

        Compare the identity of each candidate exactly: a vendor's search is often fuzzy. Raise when the vendor can
        not be reached; an empty answer means that there is nothing. Where the vendor has no way to list a category
        for these identities, yield `Unlisted`.
        """
        raise CannotFulfil("locate_not_served")

    def reread(self, ctx: Context, items: Sequence[Item]) -> Items:
        """Yield those of `items` that still exist, by a strong read (never through a search index).

        `matched` must say whose the item is now, by an identity of the type by which it was found: the engine stops
        before an item that changed hands. Take that type from `items`, and compare with nothing: `ctx.identities` is
        empty and `matched.value` of `items` is blank where a hold has ended, years after the request.
        """
        raise CannotFulfil("reread_not_served")

    def export(self, ctx: Context, items: Sequence[Item]) -> Exported:
        """Yield the data of `items` as records and files."""
        raise CannotFulfil("export_not_served")

    def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
        """Erase `items`; one result each, or a `Wait`. Items are stored, re-read and cleared of holds beforehand."""
        raise CannotFulfil("erase_not_served")

    def taken_with(self, item: Item) -> str:
        """Name the thing whose erasure takes `item` along; items of one name always come in one call.

        Where a vendor erases a contact with its notes, the notes answer with the contact's name, and a hold on one of
        them keeps all of them. By default an item stands alone.
        """
        return f"{item.category}\x1f{item.ref}"

    def look_up(self, ctx: Context, items: Sequence[Item]) -> Awaitable[Results | None] | Results | None:
        """Say what came of an effect on `items` that was begun and whose answer was lost.

        Asked before a repeat when the manifest says `lookup_before_repeat`: results, a `Wait` for a job that was
        found running, or None when the vendor knows of nothing (then `reread` decides and what is left is repeated).
        """
        return None

    def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> Read:
        """Yield what `items` hold now in `fields` (register keys of the manifest's `fields`), by a strong read.

        Asked just before and again after `rectify`: the engine compares old and new values by it.
        """
        raise CannotFulfil("read_not_served")

    def rectify(self, ctx: Context, changes: Sequence[Change]) -> Answered:
        """Write corrections; one result for each change, or a `Wait`. Old values were compared just before."""
        raise CannotFulfil("rectify_not_served")

    def restrict(self, ctx: Context, items: Sequence[Item]) -> Answered:
        """Mark `items` so that the vendor's users leave them alone (GDPR Article 18)."""
        raise CannotFulfil("restrict_not_served")

    def lift(self, ctx: Context, items: Sequence[Item]) -> Answered:
        """End a restriction."""
        raise CannotFulfil("lift_not_served")

    def stop(self, ctx: Context, purposes: Sequence[str]) -> Answered:
        """Stop processing for `purposes`: consent withdrawn, objection, suppression."""
        raise CannotFulfil("stop_not_served")

    def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Answered:
        """Ask the vendor about a job (or take a callback's or a person's `answer`): results, or the next `Wait`."""
        raise CannotFulfil("resume_not_served")

    def verify(self, ctx: Context, items: Sequence[Item]) -> Items | None:
        """Yield what remains of `items` and of the subject after the effect.

        For an erasure None (the default) lets the engine do it: `reread` of the items, then a fresh `locate`. For any
        other action yield what is not yet as it should be; None leaves the outcome attested by the vendor's answer.
        """
        return None
