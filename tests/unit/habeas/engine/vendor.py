"""A vendor in memory, and a processor for it, that the engine's tests drive."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import BaseModel

from habeas.engine import Verdict, work
from habeas.sdk import (
    Action,
    Answered,
    Context,
    Disposition,
    Http,
    Identity,
    IdentityType,
    Item,
    Manifest,
    Processor,
    Result,
    Right,
    Task,
    Unlisted,
)
from habeas.testing import Crash, MemoryLedger, Time

SUBJECT = Identity(IdentityType.CUSTOMER_ID, "c-1")
STRANGER = Identity(IdentityType.CUSTOMER_ID, "c-2")


@dataclass
class Vendor:
    """What the vendor holds: owner, category and date by reference. Effects are logged by the vendor itself."""

    things: dict[str, tuple[Identity, str, date | None]] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    crash: Crash = field(default_factory=Crash)
    lies: int = 0  # how many erasures it answers with success without doing them

    def erase(self, ref: str) -> None:
        self.crash.step()
        if self.lies > 0:
            self.lies -= 1
        elif self.things.pop(ref, None) is not None:
            self.effects.append(ref)
        self.crash.step()


NO_HTTP = Http(base_url="http://vendor.invalid")  # made once: its TLS settings take longer than a whole task


class NoConfig(BaseModel):
    pass


class VendorProcessor(Processor[NoConfig]):
    Config = NoConfig

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(config=NoConfig(), http=NO_HTTP)
        self.vendor = vendor

    def item(self, ref: str) -> Item:
        owner, category, dated = self.vendor.things[ref]
        return Item(ref, category, owner, dated=dated)

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
        for ref, (owner, _, _) in list(self.vendor.things.items()):
            if owner in ctx.identities:
                yield self.item(ref)

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            if item.ref in self.vendor.things:
                yield self.item(item.ref)

    def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
        return self.erase_each(items)

    async def erase_each(self, items: Sequence[Item]) -> list[Result]:
        for item in items:
            self.vendor.erase(item.ref)
        return [Result(item, Disposition.ERASED) for item in items]


def manifest(**changes: Any) -> Manifest:
    document: dict[str, Any] = {
        "kind": "model",
        "version": 1,
        "title": "Model",
        "owner": "tests",
        "country": "NL",
        "accepts": ["customer_id"],
        "actions": {"erase": {"batch": 2}},
        "categories": [{"name": "contact", "description": "contacts"}, {"name": "files", "description": "files"}],
    }
    return Manifest.model_validate(document | changes)


def task(action: Action = Action.ERASE, *identities: Identity, **changes: Any) -> Task:
    made = Task("tsk_1", "req_1", "model", action, Right.ERASURE, identities or (SUBJECT,))
    return replace(made, **changes)


def vendor_with(*refs: str, owner: Identity = SUBJECT, category: str = "files", dated: date | None = None) -> Vendor:
    return Vendor(dict.fromkeys(refs, (owner, category, dated)))


async def run(
    processor: Processor[Any],
    ledger: MemoryLedger | None = None,
    *,
    of: Task | None = None,
    by: Manifest | None = None,
    clock: Time | None = None,
    **options: Any,
) -> Verdict:
    return await work(
        of or task(),
        processor=processor,
        manifest=by or manifest(),
        ledger=ledger or MemoryLedger(),
        clock=clock or Time(),
        **options,
    )
