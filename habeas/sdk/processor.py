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
    """One enrolled processor: opened once, given many tasks, several at a time. Keep nothing of a task on `self`.

    Set `Config`, a pydantic model of the settings and secrets that the manifest lists, and override what the manifest
    says is served. The engine calls, in this order:

        export            locate, reread, export, locate
        erase             locate, reread, erase, verify (reread and locate where it is not overridden)
        rectify           locate, reread, read, rectify, read
        restrict, lift    locate, reread, restrict or lift, verify
        stop              locate, reread, stop, verify
        resolve, preview, recheck    locate

    with all that was located stored before the first effect, so that a crash at any point goes on from there.

    Every method may be `async` or plain, and every iterator. A plain one runs in a thread of its task, must not touch
    the event loop (nor `Http`, which lives there), and asks `ctx.before_effect_in_thread()` before each call of a
    driver of its own; an async one with a driver of its own awaits `ctx.before_effect()`; `Http` does so by itself.
    All of it ends when `ctx.time_left()` does, and with `asyncio.CancelledError` when the host shuts down: let it pass.

    Errors: raise from `habeas.sdk.errors`; anything else is taken for a defect, and its text is told to nobody.
    """

    Config: ClassVar[type[BaseModel]]

    def __init__(self, *, config: ConfigT, http: Http) -> None:
        """Keep `config` (settings and secrets, validated) and `http` (deadline, size cap and rate limit built in)."""
        self.config = config
        self.http = http

    async def __aenter__(self) -> Self:
        """Open what lives as long as the processor is enrolled: a pool, a session."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    def check(self, ctx: Context) -> Awaitable[None] | None:
        """Prove reach and credentials by a harmless call that needs them.

        Raise `CredentialsRejected` or `RetryLater` when it fails; what it returns is not looked at.
        """
        raise CannotFulfil("check_not_served")

    def locate(self, ctx: Context) -> Found:
        """Yield every `Item` of the subject, and every further `Identity` that the manifest `resolves`. Read only.

        Look under each of `ctx.identities`: one may be all that is known. Compare the identity of each candidate
        exactly, for a vendor's search is often fuzzy, and follow its pages to their end. Raise `RetryLater` when the
        vendor cannot be reached or read; an empty answer means that there is nothing. Where the vendor has no way to
        list a category for these identities, yield `Unlisted`. An item that is yielded twice counts once.
        """
        raise CannotFulfil("locate_not_served")

    def reread(self, ctx: Context, items: Sequence[Item]) -> Items:
        """Yield those of `items` that still exist, by a strong read (never through a search index).

        At most `batch` of the manifest at a time. `matched` must say whose the item is now, as the vendor has it, by
        an identity of the type by which it was found: the engine stops before an item that changed hands. Take that
        type from `items`, and compare with nothing: `ctx.identities` is empty and `matched.value` of `items` is blank
        where a hold has ended, years after the request. `dated` must be given as `locate` gives it.
        """
        raise CannotFulfil("reread_not_served")

    def export(self, ctx: Context, items: Sequence[Item]) -> Exported:
        """Yield the data of `items` as `Record`s and `File`s: at least one for each item that is there. Read only.

        The same data comes out the same twice: leave out times of the export. Read large files through
        `Http.stream`, and raise `RetryLater` where a file is shorter than the vendor said. What is gone by then is left
        out. Afterwards `locate` is asked again, and what it finds beside is exported too: only then the copy is whole.
        """
        raise CannotFulfil("export_not_served")

    def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
        """Erase `items`; one `Result` each, or a `Wait`. Items are stored, re-read and cleared of holds beforehand.

        Of a batch that the vendor does in part, tell of each item what became of it: what is told as erased is read
        again, and what is refused stays so. Raise `RetryLater` where some of it should be tried again: what was done
        by then is found out by `reread`.

        Dispositions: `erased`, `anonymised`, `suppressed` (kept on a list so that it stays away); or `already_done`,
        `not_found`, `retained` with `ground` and, if known, `until`; `refused` or `failed` with `note`. Where the
        vendor takes an idempotency key, give it `ctx.key("erase", item)`.
        """
        raise CannotFulfil("erase_not_served")

    def taken_with(self, item: Item) -> str:
        """Name the thing whose erasure takes `item` along; items of one name always come in one call.

        Where a vendor erases a contact with its notes, the notes answer with the contact's name, and a hold on one of
        them keeps all of them. By default an item stands alone. Called often: no calls to the vendor here.
        """
        return f"{item.category}\x1f{item.ref}"

    def look_up(self, ctx: Context, items: Sequence[Item]) -> Awaitable[Results | None] | Results | None:
        """Say what came of an effect on `items` that was begun and whose answer was lost.

        Asked before a repeat when the manifest says `lookup_before_repeat`: results, a `Wait` for a job that was
        found running, or None when the vendor knows of nothing (then `reread` decides and what is left is repeated).
        """
        return None

    def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> Read:
        """Yield the `Values` of each of `items` in `fields` (register keys of the manifest's `fields`), strongly read.

        All `items` are of one category, and `fields` are those of it that the task corrects; each must be in
        `Values.fields`. Asked just before and again after `rectify`: the engine compares old and new values by it.
        """
        raise CannotFulfil("read_not_served")

    def rectify(self, ctx: Context, changes: Sequence[Change]) -> Answered:
        """Write corrections; one `Result` for each change (`rectified`, `refused`, ...), or a `Wait`.

        Old values were compared just before; what is new already, or holds another value than the old one, is not
        among the corrections. `Manifest.fields[correction.field].name` is the vendor's own name of the field. Values
        are compared by what they mean: an e-mail without regard to case, a phone number without its ornament. A
        vendor that writes anything else in another spelling needs a person in the end, so write its spelling.
        """
        raise CannotFulfil("rectify_not_served")

    def restrict(self, ctx: Context, items: Sequence[Item]) -> Answered:
        """Mark `items` so that the vendor's users leave them alone (GDPR Article 18); `restricted`, or a `Wait`."""
        raise CannotFulfil("restrict_not_served")

    def lift(self, ctx: Context, items: Sequence[Item]) -> Answered:
        """End a restriction; `lifted`, or a `Wait`."""
        raise CannotFulfil("lift_not_served")

    def stop(self, ctx: Context, purposes: Sequence[str]) -> Answered:
        """Stop processing for `purposes` (consent withdrawn, GDPR 7(3); objection, 21): `stopped` or `suppressed`.

        One call serves all of the subject's items; one result for each item that `locate` found.
        """
        raise CannotFulfil("stop_not_served")

    def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Answered:
        """Ask the vendor about `wait.job`: results of the items handed over, or the next `Wait`.

        Called when `check_at` has come, over restarts, or at once with a callback's or a person's `answer`.
        """
        raise CannotFulfil("resume_not_served")

    def verify(self, ctx: Context, items: Sequence[Item]) -> Items | None:
        """Yield what remains of `items` and of the subject after the effect. Ask the vendor; remember nothing.

        For an erasure None (the default) lets the engine do it: `reread` of the items, then a fresh `locate`. A
        rectification is always seen to through `read`. For any other action yield what is not yet as it should be;
        None leaves the outcome attested by the vendor's answer. What is yielded and should be gone is acted on again,
        in at most three passes, and then a person is asked.
        """
        return None
