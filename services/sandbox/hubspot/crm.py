"""The CRM's own state: records, the links between them, who was purged and who is blocked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from time import monotonic

from services.sandbox.hubspot.catalogue import ENGAGEMENTS, ObjectType
from services.sandbox.hubspot.index import SearchIndex, Snapshot

Ref = tuple[str, str]
"""An object's type and id."""


class EmailTakenError(Exception):
    """Another contact has the address; `args[0]` is that contact's id."""


def stamp(at: datetime) -> str:
    """A time as HubSpot writes it: `2026-01-31T09:30:00.000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


@dataclass
class Record:
    """One object; a property that was never set or was cleared is absent."""

    kind: ObjectType
    id: str
    properties: dict[str, str]
    created: datetime
    updated: datetime
    archived_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        """Type and id."""
        return self.kind.name, self.id

    def touch(self, at: datetime) -> None:
        """Note a change."""
        self.updated = at
        self.properties[self.kind.stamps[1]] = stamp(at)

    def addresses(self) -> set[str]:
        """Primary and additional e-mail addresses, in lower case."""
        more = self.properties.get("hs_additional_emails", "").lower().split(";")
        return {self.properties.get("email", "").lower(), *(one.strip() for one in more)} - {""}


def _hashed(email: str) -> str:
    return sha256(email.lower().encode()).hexdigest()


@dataclass
class Crm:
    """Everything HubSpot holds. Used from the event loop's thread alone."""

    index: SearchIndex = field(default_factory=lambda: SearchIndex(monotonic))
    records: dict[Ref, Record] = field(default_factory=dict)
    unsubscribed: dict[str, datetime] = field(default_factory=dict)
    _links: dict[Ref, dict[Ref, None]] = field(default_factory=dict)
    _by_email: dict[str, str] = field(default_factory=dict)
    _purged: set[Ref] = field(default_factory=set)
    _blocked: set[str] = field(default_factory=set)
    _ids: Iterator[int] = field(default_factory=lambda: count(20_001))

    def create(
        self, kind: ObjectType, properties: Mapping[str, str], links: Iterable[Ref] = (), *, indexed: bool = False
    ) -> Record:
        """Add a record. A blocklisted address is let in, as the vendor's API does. Raises `EmailTakenError`."""
        self._claim_email(None, properties.get("email") if kind.name == "contacts" else None)
        now = datetime.now(UTC)
        record = Record(kind, str(next(self._ids)), {k: v for k, v in properties.items() if v}, now, now)
        record.properties |= {"hs_object_id": record.id, kind.stamps[0]: stamp(now), kind.stamps[1]: stamp(now)}
        self.records[record.ref] = record
        self._remember_email(record)
        for other in links:
            self.link(record.ref, other)
        self._reindex(record, at_once=indexed)
        return record

    def find(self, kind: ObjectType, record_id: str, *, archived: bool = False) -> Record | None:
        """The record with this id; archived ones only when asked for, as the vendor does."""
        record = self.records.get((kind.name, record_id))
        return record if record and (record.archived_at is not None) == archived else None

    def find_by_email(self, email: str) -> Record | None:
        """The live contact whose primary address this is; an additional address is found by search alone."""
        record_id = self._by_email.get(email.lower())
        return self.records[("contacts", record_id)] if record_id else None

    def update(self, record: Record, changes: Mapping[str, str]) -> bool:
        """Set properties ("" clears); False where nothing was different. Raises `EmailTakenError`."""
        before = dict(record.properties)
        if record.kind.name == "contacts" and "email" in changes:
            self._claim_email(record.id, changes["email"])
            self._forget_email(record)
        record.properties |= changes
        record.properties = {name: value for name, value in record.properties.items() if value}
        self._remember_email(record)
        if record.properties == before:
            return False
        record.touch(datetime.now(UTC))
        self._reindex(record)
        return True

    def archive(self, record: Record) -> None:
        """Move to the recycle bin: out of search and plain reads, still there, links kept for a restore."""
        self._forget_email(record)
        record.archived_at = datetime.now(UTC)
        self._reindex(record)

    def purge(self, contact: Record) -> list[Ref]:
        """Remove a contact for good, block its addresses, and remove engagements that hang on nobody else.

        A shared engagement stays with the others; tickets, deals and companies are no engagements and stay,
        without the link. Returns what was removed.
        """
        for email in contact.addresses():
            self.block(email)
        alone = [ref for ref in self.linked(contact.ref) if ref[0] in ENGAGEMENTS and len(self._links[ref]) == 1]
        self._forget_email(contact)
        gone = [contact.ref, *alone]
        for ref in gone:
            self._drop(ref)
        return gone

    def was_purged(self, ref: Ref) -> bool:
        """Whether such a record once was, and was removed for good."""
        return ref in self._purged

    def block(self, email: str) -> bool:
        """Put an address on the blocklist (kept hashed); False if it was there."""
        fresh = _hashed(email) not in self._blocked
        self._blocked.add(_hashed(email))
        return fresh

    def is_blocked(self, email: str) -> bool:
        """Whether the address is on the blocklist."""
        return _hashed(email) in self._blocked

    def link(self, one: Ref, other: Ref) -> None:
        """Associate two records, both ways."""
        self._links.setdefault(one, {})[other] = None
        self._links.setdefault(other, {})[one] = None

    def unlink(self, one: Ref, other: Ref) -> bool:
        """Take an association away; False where there was none."""
        existed = other in self._links.get(one, {})
        self._links.get(one, {}).pop(other, None)
        self._links.get(other, {}).pop(one, None)
        return existed

    def linked(self, ref: Ref, to_type: str | None = None, *, archived: bool = True) -> list[Ref]:
        """What is associated with a record, oldest link first; archived records only if wanted."""
        return [
            other
            for other in self._links.get(ref, {})
            if to_type in (None, other[0]) and (archived or self.records[other].archived_at is None)
        ]

    def owner(self, record: Record) -> str | None:
        """Whose it is: customer id or address of the contact itself, or of the first contact it hangs on."""
        if record.kind.name != "contacts":
            contacts = self.linked(record.ref, "contacts")
            return self.owner(self.records[contacts[0]]) if contacts else None
        return record.properties.get("customer_id") or record.properties.get("email")

    def of_type(self, name: str) -> list[Record]:
        """All records of a type, archived ones included, in order of creation."""
        return [record for (kind, _), record in self.records.items() if kind == name]

    def clear(self) -> None:
        """Forget everything but which ids were used."""
        for part in (self.records, self.unsubscribed, self._links, self._by_email, self._purged, self._blocked):
            part.clear()
        self.index.clear()

    def _claim_email(self, own_id: str | None, email: str | None) -> None:
        holder = self._by_email.get(email.lower()) if email else None
        if holder not in (None, own_id):
            raise EmailTakenError(holder)

    def _remember_email(self, record: Record) -> None:
        email = record.properties.get("email")
        if record.kind.name == "contacts" and email:
            self._by_email[email.lower()] = record.id

    def _forget_email(self, record: Record) -> None:
        email = record.properties.get("email", "").lower()
        if record.kind.name == "contacts" and self._by_email.get(email) == record.id:
            del self._by_email[email]

    def _drop(self, ref: Ref) -> None:
        for other in list(self._links.pop(ref, {})):
            self._links.get(other, {}).pop(ref, None)
        del self.records[ref]
        self._purged.add(ref)
        self.index.put(*ref, None)

    def _reindex(self, record: Record, *, at_once: bool = False) -> None:
        snapshot = None
        if record.archived_at is None:
            times = record.created.timestamp(), record.updated.timestamp()
            snapshot = Snapshot(record.id, dict(record.properties), *times)
        self.index.put(*record.ref, snapshot, at_once=at_once)
