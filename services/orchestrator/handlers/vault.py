"""Opens what concerns the subjects of a batch of requests, and seals again what was learned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contracts.exports import KEY_LABEL
from contracts.seal import SealedCorrection, SealedIdentity
from habeas.vocabulary import IdentityType
from services.chassis.crypto.at_rest import KeyProvider, Undecryptable
from services.chassis.crypto.blind_index import blind_index, normalise
from services.chassis.crypto.keys import derive
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.handlers.secrets import KnownIdentity, Secrets, pack, unpack

log = get_logger(__name__)

# People have several addresses and cookies; a second customer id found by one address may be somebody else's.
ONE_OF_A_KIND = frozenset({IdentityType.CUSTOMER_ID, IdentityType.USERNAME})

SQL = Queries.load("services.orchestrator.store", "work.sql")


@dataclass(slots=True)
class Known:
    """What is known of one request's subject, open in memory for the length of a transaction."""

    secrets: Secrets = field(repr=False)
    _accepted: dict[frozenset[IdentityType], tuple[SealedIdentity, ...]] = field(default_factory=dict, repr=False)
    _subject: frozenset[bytes] | None = field(default=None, repr=False)

    @property
    def email(self) -> str | None:
        """Return where notices go."""
        return self.secrets.contact

    @property
    def reference(self) -> str | None:
        """Return the client's own reference."""
        return self.secrets.reference

    @property
    def types(self) -> frozenset[IdentityType]:
        """Return which kinds of identity are known."""
        return frozenset(one.type for one in self.secrets.identities)

    @property
    def ambiguous(self) -> bool:
        """Whether what was resolved may point to two people: two values of an identity that a person has one of."""
        seen: dict[IdentityType, str] = {}
        for one in self.secrets.identities:
            if one.type in ONE_OF_A_KIND:
                value = normalise(one.type, one.value)
                if seen.setdefault(one.type, value) != value:
                    return any(other.provenance != "filed" for other in self.secrets.identities)
        return False

    def accepted(self, types: Iterable[IdentityType]) -> tuple[SealedIdentity, ...]:
        """Return the identities of some types, as they are sealed to a processor."""
        wanted = frozenset(types)
        if wanted not in self._accepted:
            self._accepted[wanted] = tuple(
                SealedIdentity(type=one.type, value=one.value) for one in self.secrets.identities if one.type in wanted
            )
        return self._accepted[wanted]

    def subject(self, blind_key: bytes) -> frozenset[bytes]:
        """Return the blind index of every identity that is known."""
        if self._subject is None:
            self._subject = frozenset(blind_index(blind_key, one.type, one.value) for one in self.secrets.identities)
        return self._subject

    def corrections(self, fields: Iterable[str]) -> tuple[SealedCorrection, ...]:
        """Return the corrections of some fields, as they are sealed to a processor that knows these."""
        wanted = frozenset(fields)
        return tuple(
            SealedCorrection(field=one.field, old=one.old, new=one.new)
            for one in self.secrets.corrections
            if one.field in wanted
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """Return which fields are to be corrected."""
        return tuple(one.field for one in self.secrets.corrections)

    def learn(self, found: Sequence[SealedIdentity], *, provenance: str, round_: int) -> list[KnownIdentity]:
        """Add identities that are not known yet; return them."""
        known = {(one.type, normalise(one.type, one.value)) for one in self.secrets.identities}
        fresh: dict[tuple[IdentityType, str], KnownIdentity] = {}
        for one in found:
            key = (one.type, normalise(one.type, one.value))
            if key not in known:
                fresh.setdefault(key, KnownIdentity(one.type, one.value, provenance, round_))
        if fresh:
            self.secrets = replace(self.secrets, identities=(*self.secrets.identities, *fresh.values()))
            self._accepted.clear()
            self._subject = None
        return list(fresh.values())

    def learned_since(self, round_: int, types: Iterable[IdentityType], *, but_from: str) -> bool:
        """Whether others found, in `round_` or later, an identity of `types`."""
        wanted = frozenset(types)
        return any(
            one.round >= round_ and one.provenance not in ("filed", but_from) and one.type in wanted
            for one in self.secrets.identities
        )


class Vault(Mapping[str, Known]):
    """The open secrets of a batch. A request whose key was shredded is absent, and one that was left out."""

    def __init__(self, connection: Connection, keys: Mapping[str, bytes], known: Mapping[str, Known]) -> None:
        """Hold what `open` opened."""
        self._connection = connection
        self._keys = keys
        self._known = known
        self._changed: set[str] = set()

    @classmethod
    async def open(
        cls, connection: Connection, provider: KeyProvider, requests: Sequence[str], *, leave_out: bool = False
    ) -> "Vault":
        """Read and decrypt the secrets of `requests`.

        What can not be decrypted raises `Undecryptable`, or is logged and absent with `leave_out`: for batches, where
        one broken row must not stop the others.
        """
        keys: dict[str, bytes] = {}
        known: dict[str, Known] = {}
        for row in await connection.fetch(SQL["secrets_of_requests"], list(requests)):
            request = row["request_id"]
            try:
                key = provider.unwrap(row["wrapped"])
                known[request], keys[request] = Known(unpack(key, request, row["sealed"])), key
            except Undecryptable:
                if not leave_out:
                    raise
                log.error("request.unreadable", request_id=request)
        return cls(connection, keys, known)

    def __getitem__(self, request: str) -> Known:
        """Return what is known of a request's subject."""
        return self._known[request]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the requests."""
        return iter(self._known)

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._known)

    def changed(self, request: str) -> None:
        """Seal this request's secrets again at the end."""
        self._changed.add(request)

    @property
    def known_better(self) -> list[str]:
        """Return the requests that learned something in this transaction."""
        return sorted(self._changed)

    def export_key(self, request: str, task: str) -> bytes:
        """Return the 32 bytes that an export task's objects are encrypted with; they fall with the request's key."""
        return derive(self._keys[request], f"{KEY_LABEL.decode()}{task}")

    async def save(self) -> None:
        """Write what changed."""
        if self._changed:
            changed = sorted(self._changed)
            sealed = [pack(self._keys[one], one, self._known[one].secrets) for one in changed]
            await self._connection.execute(SQL["save_secrets"], changed, sealed)
