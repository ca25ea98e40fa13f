"""A CRM in memory whose contacts can be corrected, and a processor for it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from habeas.engine import Settled, Verdict
from habeas.sdk import (
    Action,
    Change,
    Context,
    Correction,
    Disposition,
    Identity,
    IdentityType,
    Item,
    Manifest,
    Processor,
    Result,
    Values,
)
from habeas.testing import Crash
from tests.unit.habeas.engine.vendor import NO_HTTP, NoConfig, manifest, run, task

OLD, NEW = "old@example.org", "new@example.org"
EMAIL = Correction("contact.email", OLD, NEW)
NAME = Correction("contact.name", None, "Jané")
JANE = Identity(IdentityType.EMAIL, OLD)

SERVED: Manifest = manifest(
    accepts=["email"],
    actions={"rectify": {"batch": 2}},
    fields={
        "contact.email": {"category": "contact", "name": "mail"},
        "contact.name": {"category": "contact", "name": "full_name"},
    },
)


class Crm:
    """Contacts by reference: values by register key. Writes are counted by the vendor itself."""

    def __init__(self, **contacts: Mapping[str, str | None]) -> None:
        self.contacts = {ref: dict(values) for ref, values in contacts.items()}
        self.writes: list[tuple[str, str]] = []
        self.crash = Crash()
        self.lies = 0

    def write(self, ref: str, field: str, value: str) -> None:
        self.crash.step()
        if self.lies:
            self.lies -= 1
            return
        self.contacts[ref][field] = value
        self.writes.append((ref, field))
        self.crash.step()


class Rectifier(Processor[NoConfig]):
    Config = NoConfig

    def __init__(self, crm: Crm) -> None:
        super().__init__(config=NoConfig(), http=NO_HTTP)
        self.crm = crm

    async def locate(self, ctx: Context) -> AsyncIterator[Item]:
        for ref, values in self.crm.contacts.items():
            if values["contact.email"] in {one.value for one in ctx.identities}:
                yield Item(ref, "contact", JANE)
                yield Item(ref, "files", JANE)  # of a category without fields

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            values = self.crm.contacts.get(item.ref)
            if values is not None:
                yield Item(item.ref, item.category, Identity(IdentityType.EMAIL, values["contact.email"] or ""))

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        for item in items:
            yield Values(item, {field: self.crm.contacts[item.ref][field] for field in fields})

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
        for change in changes:
            for one in change.corrections:
                self.crm.write(change.item.ref, one.field, one.new)
        return [Result(change.item, Disposition.RECTIFIED) for change in changes]


def contact(email: str = OLD, name: str | None = "Jane") -> dict[str, str | None]:
    return {"contact.email": email, "contact.name": name}


async def rectified(crm: Crm, *corrections: Correction, kind: type[Rectifier] = Rectifier, **more: Any) -> Verdict:
    of = task(Action.RECTIFY, JANE, corrections=corrections or (EMAIL,))
    return await run(kind(crm), more.pop("ledger", None), of=of, by=SERVED, **more)


def told(verdict: Verdict) -> list[tuple[str, int, str | None]]:
    assert isinstance(verdict, Settled), verdict
    return [(line.disposition.value, line.count, line.reason) for line in verdict.lines]
