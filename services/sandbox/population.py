"""Who lives in the simulators: puts people in, and reads from the vendors' own state what is left of each."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from services.sandbox.hubspot.catalogue import CONTACTS, object_type
from services.sandbox.hubspot.crm import Crm, Record, Ref
from services.sandbox.openai.belongings import AiSupplier
from services.sandbox.people import Person
from services.sandbox.s3.calls import person_of
from services.sandbox.s3.store import Content, ObjectStore, Version
from services.sandbox.stripe.accounts import Accounts


class PeopleExistError(Exception):
    """People of this seed are there already."""


@dataclass
class Resident:
    """A person and what was made for them."""

    person: Person
    contact_ids: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    ai: Mapping[str, list[str]] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the control API."""
        person = self.person
        return {
            "customer_id": person.customer_id,
            "name": person.name,
            "email": person.email,
            "phone": person.phone,
            "language": person.language,
            "contact_ids": self.contact_ids,
            "objects": self.objects,
            "openai": self.ai,
            "customers": self.customers,
            "payer": person.payer,
            "locked": any(one.locked for one in person.stored),
            "oddity": person.oddity,
        }


@dataclass
class Population:
    """All people of one sandbox, over its vendors."""

    crm: Crm
    store: ObjectStore
    ai: AiSupplier
    accounts: Accounts
    residents: dict[str, Resident] = field(default_factory=dict)

    def settle(self, people: Iterable[Person]) -> list[Resident]:
        """Put people into all vendors; not an effect, so not on a ledger. Raises `PeopleExistError`."""
        arriving = [Resident(person) for person in people]
        if any(one.person.customer_id in self.residents for one in arriving):
            raise PeopleExistError
        for resident in arriving:
            self.residents[resident.person.customer_id] = resident
            self._make_contacts(resident)
        self.store.put([content for resident in arriving for content in _contents(resident)])
        made = self.ai.settle(resident.person for resident in arriving)
        customers = self.accounts.settle(resident.person for resident in arriving)
        for resident in arriving:
            resident.ai = made[resident.person.customer_id]
            resident.customers = customers[resident.person.customer_id]
        return arriving

    def remains(self, resident: Resident) -> dict[str, int]:
        """What is left: CRM records on the person, archived ones too; versions and markers in S3; things at OpenAI.

        Of Stripe `stripe` is what should go, `stripe_kept` the records of payments that law lets the controller keep.
        """
        contacts = [one for one in self.crm.of_type("contacts") if _owns(resident, one)]
        refs = {ref for contact in contacts for ref in (contact.ref, *self.crm.linked(contact.ref))}
        versions = self.store.versions(_prefix(resident.person))
        at_openai = self.ai.platform.remains(resident.person.customer_id)
        return {
            "hubspot": len(refs),
            "s3": len(versions),
            "openai": at_openai,
            **self.accounts.remains(resident.person),
        }

    def phones(self, resident: Resident) -> dict[str, list[str]]:
        """The telephone numbers that the CRM's contacts and Stripe's customers have for a person."""
        contacts = [one for one in self.crm.of_type("contacts") if _owns(resident, one)]
        at_hubspot = [one.properties["phone"] for one in contacts if one.properties.get("phone")]
        return {"hubspot": at_hubspot, "stripe": self.accounts.phones(resident.person)}

    def digests(self, without: Iterable[str]) -> dict[str, Any]:
        """A digest of each person's data, of what is nobody's, and of everything but the people left out."""
        left_out = set(without)
        contacts, versions = self._contacts_by_person(), self._versions_by_person()
        ai = self.ai.platform.by_person()
        everybody = [resident.person for resident in self.residents.values()]

        def state(person: str | None) -> str:
            resident = self.residents.get(person or "")
            paid = self.accounts.state(resident.person if resident else None, everybody)
            at_s3 = list(map(asdict, versions[person]))
            return _digest([self._contact_state(contacts[person]), at_s3, ai.get(person, []), paid])

        people = {customer_id: state(customer_id) for customer_id in self.residents}
        unowned = state(None)
        counted = {name: value for name, value in people.items() if name not in left_out}
        return {"digest": _digest([unowned, counted]), "people": people, "unowned": unowned}

    def clear(self) -> None:
        """Forget everybody (the vendors are emptied by their owner)."""
        self.residents.clear()

    def _make_contacts(self, resident: Resident) -> None:
        person = resident.person
        made = [self.crm.create(CONTACTS, properties, indexed=True) for properties in person.contacts]
        resident.contact_ids = [contact.id for contact in made]
        for activity in person.activities if made else ():
            kind = object_type(activity.kind) or CONTACTS
            refs: list[Ref] = [made[0].ref]
            if activity.shared_with:
                refs += [("contacts", one) for one in self.residents[activity.shared_with].contact_ids[:1]]
            self.crm.create(kind, activity.properties, refs, indexed=True)

    def _contacts_by_person(self) -> dict[str | None, list[Record]]:
        by_id = {one: name for name, resident in self.residents.items() for one in resident.contact_ids}
        by_email = {resident.person.email: name for name, resident in self.residents.items()}
        found: dict[str | None, list[Record]] = defaultdict(list)
        for contact in self.crm.of_type("contacts"):
            named = contact.properties.get("customer_id", "")
            by_address = next((by_email[one] for one in sorted(contact.addresses()) if one in by_email), None)
            owner = by_id.get(contact.id) or (named if named in self.residents else by_address)
            found[owner].append(contact)
        return found

    def _versions_by_person(self) -> dict[str | None, list[Version]]:
        found: dict[str | None, list[Version]] = defaultdict(list)
        for version in self.store.versions():
            owner = person_of(version.key)
            found[owner if owner in self.residents else None].append(version)
        return found

    def _contact_state(self, contacts: list[Record]) -> list[Any]:
        refs = sorted({ref for contact in contacts for ref in (contact.ref, *self.crm.linked(contact.ref))})
        addresses = sorted({one for contact in contacts for one in contact.addresses()})
        states = [[*ref, self.crm.records[ref].properties, str(self.crm.records[ref].archived_at)] for ref in refs]
        return [states, [one for one in addresses if one in self.crm.unsubscribed]]


def _owns(resident: Resident, contact: Record) -> bool:
    person = resident.person
    return (
        contact.id in resident.contact_ids
        or contact.properties.get("customer_id") == person.customer_id
        or person.email in contact.addresses()
    )


def _prefix(person: Person) -> str:
    return f"customers/{person.customer_id}/"


def _contents(resident: Resident) -> list[Content]:
    prefix = _prefix(resident.person)
    contents = [Content(prefix + one.name, one.versions, one.deleted, one.locked) for one in resident.person.stored]
    resident.objects = [one.key for one in contents]
    return contents


def _digest(state: object) -> str:
    return sha256(json.dumps(state, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
