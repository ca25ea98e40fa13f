"""Finds a subject's contacts in HubSpot, hands out what is in them, corrects them, has them deleted for good."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from habeas.sdk import (
    Change,
    Context,
    Disposition,
    Http,
    Identity,
    IdentityType,
    Item,
    Manifest,
    Processor,
    Record,
    Result,
    Values,
)
from services.connectors.processors.hubspot.shapes import Contact
from services.connectors.processors.hubspot.vendor import CONTACTS, ENGAGEMENTS, NOT_LIVE, TICKETS, Crm, Filter

CONTACT = "contact"
# The properties that can be corrected, by register key: as the manifest says.
FIELDS = {key: field.name for key, field in Manifest.load(Path(__file__).with_name("manifest.toml")).fields.items()}
MORE_EMAILS = "hs_additional_emails"
NOBODY = Identity(IdentityType.CUSTOMER_ID, "")  # what a contact is matched by that is not the subject's


class Settings(BaseModel):
    """What an operator supplies."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    base_url: str = "https://api.hubapi.com"
    token: SecretStr
    customer_id_property: str = Field(default="customer_id", pattern=r"^[a-z][a-z0-9_]{0,99}$")
    objects_root: str = Field(default="/crm/v3/objects", pattern=r"^/[\w/.-]+$")
    associations_root: str = Field(default="/crm/v4/objects", pattern=r"^/[\w/.-]+$")
    properties_root: str = Field(default="/crm/v3/properties", pattern=r"^/[\w/.-]+$")
    time_zone: str = "UTC"


class HubSpot(Processor[Settings]):
    """One HubSpot account.

    An item is a contact (`ref` = its id), all of its notes, calls and the like of one type (`id/notes`: they go with
    the contact), or one of its tickets (`id/tickets/ticket id`: they stay behind and are emptied and binned first).
    """

    Config = Settings

    def __init__(self, *, config: Settings, http: Http) -> None:
        """Keep the settings."""
        super().__init__(config=config, http=http)
        self._properties = ("email", MORE_EMAILS, config.customer_id_property)

    async def check(self, ctx: Context) -> None:
        """Read one contact."""
        await self._crm(ctx).check()

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        """Search by every identity, read by address as well (the search index lags), and believe strong reads only."""
        crm = self._crm(ctx)
        contacts: dict[str, Contact] = {}
        for contact_id in await crm.search(list(self._searches(ctx.identities))):
            contact = await crm.contact(contact_id, self._properties)
            if contact is not None:
                contacts[contact.id] = contact
        for identity in ctx.identities:
            if _is_address(identity):
                known = await crm.contact_of(identity.value)
                contact = await crm.contact(known, self._properties) if known else None
                if contact is not None:
                    contacts[contact.id] = contact
        for contact in contacts.values():
            matched = self._matched(contact, ctx.identities)
            if matched is not NOBODY:
                for identity in self._known_as(contact):
                    yield identity
                for item in _items(contact, matched):
                    yield item

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        """Read every contact again by id. A ticket whose contact is gone is looked for by its own id."""
        crm = self._crm(ctx)
        for contact_id, wanted in _by_contact(items).items():
            contact = await crm.contact(contact_id, self._properties)
            there = {item.ref: item for item in _items(contact, NOBODY)} if contact else {}
            for item in wanted:
                ticket = _ticket(item)
                if contact and item.ref in there:
                    yield replace(there[item.ref], matched=self._now_of(contact, item.matched.type, ctx.identities))
                elif contact is None and ticket and await crm.ticket_exists(ticket):
                    yield item

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record]:
        """Read the objects behind `items` a hundred at a time, with every property that is set."""
        crm = self._crm(ctx)
        names: dict[str, list[str]] = {}
        for contact_id, wanted in _by_contact(items).items():
            contact = await crm.contact(contact_id, self._properties)
            for kind, of_item in _objects(contact_id, contact, wanted).items():
                names[kind] = names.get(kind) or await crm.properties(kind)
                found = await crm.things(kind, list(of_item), names[kind])
                if kind == CONTACTS and not found:
                    found = await crm.things(kind, list(of_item), names[kind], archived=True)
                for thing in found:
                    yield Record(of_item[thing.id], {name: value for name, value in thing.properties.items() if value})

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        """Read the properties in question of every contact, by id."""
        crm = self._crm(ctx)
        for item in items:
            contact = await crm.contact(item.ref, [FIELDS[field] for field in fields])
            if contact is not None:
                yield Values(item, {field: contact.properties.get(FIELDS[field]) or None for field in fields})

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> list[Result]:
        """Write the corrections of a contact in one call, which HubSpot takes whole or not at all."""
        crm = self._crm(ctx)
        results = []
        for change in changes:
            item = change.item
            why = await crm.change(item.ref, {FIELDS[one.field]: one.new for one in change.corrections})
            if why is None:
                results.append(Result(item, Disposition.RECTIFIED))
            elif why == NOT_LIVE and await crm.contact(item.ref, self._properties) is None:
                results.append(Result(item, Disposition.NOT_FOUND))
            else:
                results.append(Result(item, Disposition.REFUSED, note=why))
        return results

    def taken_with(self, item: Item) -> str:
        """Everything goes with its contact."""
        return _contact_id(item)

    async def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
        """Empty and bin the tickets first, for the deletion of the contact would take their link away."""
        crm = self._crm(ctx)
        results: list[Result] = []
        for contact_id, wanted in _by_contact(items).items():
            for item in wanted:
                ticket = _ticket(item)
                if ticket:
                    results.append(await _erase_ticket(crm, item, ticket, contact_id))
            going = [item for item in wanted if not _ticket(item)]
            if going:
                done = Disposition.ERASED if await crm.purge(contact_id) else Disposition.ALREADY_DONE
                results += [Result(item, done, count=item.count) for item in going]
        return results

    def _crm(self, ctx: Context) -> Crm:
        return Crm(
            self.http,
            token=self.config.token.get_secret_value(),
            objects_root=self.config.objects_root,
            associations_root=self.config.associations_root,
            properties_root=self.config.properties_root,
            time_zone=self.config.time_zone,
            now=ctx.now,
        )

    def _searches(self, identities: Sequence[Identity]) -> Iterator[list[Filter]]:
        for identity in identities:
            match identity.type:
                case IdentityType.EMAIL if _is_address(identity):
                    yield [_filter("email", "EQ", identity.value)]
                    yield [_filter(MORE_EMAILS, "CONTAINS_TOKEN", identity.value)]
                case IdentityType.CUSTOMER_ID:
                    yield [_filter(self.config.customer_id_property, "EQ", identity.value)]
                case _:
                    pass

    def _matched(self, contact: Contact, identities: Sequence[Identity]) -> Identity:
        """Return the identity by which `contact` is the subject's, or `NOBODY`.

        The primary address before all others: it is what a later look at the contact alone would name.
        """
        asked = {(identity.type, _plain(identity)): identity for identity in identities}
        primary = _folded(contact.properties.get("email") or "")
        held = sorted(self._known_as(contact), key=lambda one: one.value != primary)
        return next((asked[one.type, one.value] for one in held if (one.type, one.value) in asked), NOBODY)

    def _now_of(self, contact: Contact, asked: IdentityType, identities: Sequence[Identity]) -> Identity:
        """Say whose `contact` is now by an identity of type `asked`: of several addresses the subject's, if any is."""
        held = [one for one in self._known_as(contact) if one.type is asked]
        mine = {_plain(identity) for identity in identities if identity.type is asked}
        return next((one for one in held if one.value in mine), held[0] if held else Identity(asked, ""))

    def _known_as(self, contact: Contact) -> Iterator[Identity]:
        customer_id = (contact.properties.get(self.config.customer_id_property) or "").strip()
        if customer_id:
            yield Identity(IdentityType.CUSTOMER_ID, customer_id)
        for email in _emails(contact):
            yield Identity(IdentityType.EMAIL, _folded(email))


async def _erase_ticket(crm: Crm, item: Item, ticket: str, contact_id: str) -> Result:
    """Bin a ticket, unless it is another contact's as well: then it stays, and loses its link with the contact."""
    others = [other for other in await crm.ticket_contacts(ticket) if other != contact_id]
    if others:
        return Result(item, Disposition.RETAINED, ground="shared_with_others")
    await crm.bin_ticket(ticket)
    return Result(item, Disposition.ERASED, evidence={"purged_by_vendor": "within 90 days"})


def _items(contact: Contact, matched: Identity) -> Iterator[Item]:
    dated = contact.changed_on
    yield Item(contact.id, CONTACT, matched, dated=dated)
    for kind in ENGAGEMENTS:
        linked = contact.linked(kind)
        if linked:
            yield Item(f"{contact.id}/{kind}", kind, matched, count=len(linked), dated=dated)
    for ticket in contact.linked(TICKETS):
        yield Item(f"{contact.id}/{TICKETS}/{ticket}", TICKETS, matched, dated=dated)


def _objects(contact_id: str, contact: Contact | None, items: Sequence[Item]) -> dict[str, dict[str, Item]]:
    """Return, by type of object, the item that each object's id belongs to."""
    objects: dict[str, dict[str, Item]] = {}
    for item in items:
        ticket = _ticket(item)
        if item.category == CONTACT:
            objects[CONTACTS] = {contact_id: item}
        elif ticket:
            objects.setdefault(TICKETS, {})[ticket] = item
        elif contact is not None:
            objects[item.category] = dict.fromkeys(contact.linked(item.category), item)
    return objects


def _contact_id(item: Item) -> str:
    return item.ref.partition("/")[0]


def _ticket(item: Item) -> str | None:
    return item.ref.rpartition("/")[2] if item.category == TICKETS else None


def _by_contact(items: Sequence[Item]) -> dict[str, list[Item]]:
    contacts: dict[str, list[Item]] = {}
    for item in items:
        contacts.setdefault(_contact_id(item), []).append(item)
    return contacts


def _emails(contact: Contact) -> list[str]:
    more = (contact.properties.get(MORE_EMAILS) or "").split(";")
    return [email.strip() for email in (contact.properties.get("email") or "", *more) if email.strip()]


def _is_address(identity: Identity) -> bool:
    """Whether HubSpot could hold it as an address. A `*` is none: its search takes it for "anything"."""
    return identity.type is IdentityType.EMAIL and "@" in identity.value and "*" not in identity.value


def _filter(name: str, operator: str, value: str) -> Filter:
    return {"propertyName": name, "operator": operator, "value": value}


def _plain(identity: Identity) -> str:
    return _folded(identity.value) if identity.type is IdentityType.EMAIL else identity.value.strip()


def _folded(email: str) -> str:
    return email.strip().casefold()
