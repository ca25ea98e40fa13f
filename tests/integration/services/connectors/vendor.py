"""A vendor in memory and the processor for it: both do what a test tells them to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SecretStr

from habeas.sdk import (
    Context,
    Disposition,
    File,
    Http,
    Identity,
    IdentityType,
    Item,
    Manifest,
    Processor,
    Record,
    Result,
    Wait,
)
from services.connectors.host.catalogue import Kind

CATEGORY = "records"
CHUNK = 50_000


@dataclass
class Vendor:
    """Records by customer id, some of them `dated`. `effects` is its own ledger: each deletion that changed something.

    `raises` are used up one by one by calls that delete. Where `gate` is closed a deletion waits at `arrived` before
    it happens, and where `after` is closed it waits once it has happened. An export yields a record for each item and
    a file of `file_size` bytes, made of `text`; it waits at `gate` before the file's last chunk.
    """

    records: dict[str, list[str]] = field(default_factory=dict)
    dated: dict[str, date] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    raises: list[Exception] = field(default_factory=list)
    lie: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    job_until: datetime | None = None
    poll: timedelta = timedelta(0)
    arrived: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    after: asyncio.Event = field(default_factory=asyncio.Event)
    file_size: int = 0
    text: bytes = b"exported"
    together: int = 0
    most_together: int = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        block = self.text * (CHUNK // len(self.text))
        left = self.file_size
        while left > CHUNK:
            yield block
            left -= len(block)
        self.arrived += 1
        await self.gate.wait()
        if self.raises:
            raise self.raises.pop(0)
        yield block[:left]

    async def delete(self, customer: str, ref: str) -> bool:
        self.together += 1
        self.most_together = max(self.together, self.most_together)
        self.arrived += 1
        try:
            await self.gate.wait()
            if self.raises:
                raise self.raises.pop(0)
            if self.lie:
                return True
            there = ref in self.records.get(customer, [])
            if there:
                self.records[customer].remove(ref)
                self.effects.append(ref)
            await self.after.wait()
            return there
        finally:
            self.together -= 1


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    vendor: str
    token: SecretStr = SecretStr("none")


class Records(Processor[Settings]):
    """One item for each record of a customer."""

    Config = Settings
    VENDORS: ClassVar[dict[str, Vendor]] = {}

    def __init__(self, *, config: Settings, http: Http) -> None:
        super().__init__(config=config, http=http)
        self.vendor = self.VENDORS[config.vendor]
        self.vendor.tokens.add(config.token.get_secret_value())

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        for identity in ctx.identities:
            if identity.value in self.vendor.aliases:
                yield Identity(IdentityType.EMAIL, self.vendor.aliases[identity.value])
            for ref in self.vendor.records.get(identity.value, []):
                yield Item(ref, CATEGORY, identity, dated=self.vendor.dated.get(ref))

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            for customer, refs in self.vendor.records.items():
                if item.ref in refs and item.matched.value in (customer, ""):
                    owner = Identity(IdentityType.CUSTOMER_ID, customer)
                    yield Item(item.ref, CATEGORY, owner, dated=self.vendor.dated.get(item.ref))

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"ref": item.ref, "customer": item.matched.value})
            if self.vendor.file_size:
                yield File(item, "text/plain", self.vendor.chunks())

    async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Sequence[Result] | Wait:
        if ctx.now() < wait.expect_by:
            return replace(wait, check_at=ctx.now() + self.vendor.poll)
        return [
            Result(Item(ref, CATEGORY, identity), Disposition.ERASED)
            for identity in ctx.identities
            for ref in self.vendor.records.pop(identity.value, [])
        ]

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result] | Wait:
        self.vendor.keys += [str(ctx.key("erase", item)) for item in items]
        if self.vendor.job_until is not None:
            return Wait("job-1", check_at=ctx.now(), expect_by=self.vendor.job_until, reason="queued")
        results = []
        for item in items:
            gone = await self.vendor.delete(item.matched.value, item.ref)
            results.append(Result(item, Disposition.ERASED if gone else Disposition.ALREADY_DONE))
        return results


def manifest(**changes: Any) -> Manifest:
    document: dict[str, Any] = {
        "kind": "records",
        "version": 1,
        "title": "Records",
        "owner": "Tests",
        "country": "NL",
        "accepts": ["customer_id"],
        "resolves": ["email"],
        "actions": {"erase": {}, "export": {}, "resolve": {}, "preview": {}},
        "categories": [{"name": CATEGORY, "description": "Records of a customer"}],
        "limits": {"concurrency": 16},
    }
    return Manifest.model_validate(document | changes)


def kind(**changes: Any) -> Kind:
    """Return the kind as the catalogue would find it."""
    return Kind(manifest(**changes), Records)
