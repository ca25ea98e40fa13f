"""The enrolled processors as the orchestrator knows them now: for planning, for keys, for names."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from contracts.processors import WireManifest
from contracts.proof import processor_of
from contracts.topics import NOTIFIER
from habeas.vocabulary import Action
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.root import RootKey
from services.chassis.postgres.pool import Connection, Database
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.planning import Candidate, Standing

SQL = Queries.load("services.orchestrator.store", "processors.sql")

# The notifier is enrolled by deployment, not by a row: one installation has one, under a fixed enrolment id.
NOTIFIER_ENROLMENT = "enr_00000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One processor's row."""

    id: str
    kind: str
    enrolment_id: str
    secret_version: int
    min_secret_version: int
    announced_versions: tuple[int, ...]
    state: str
    manifest: WireManifest | None
    manifest_version: int | None
    pending: WireManifest | None = None
    livemode: bool = True
    retired_by: str | None = None

    @property
    def categories(self) -> frozenset[str]:
        """Return which data its host may find: by the manifest that waits, too, for the host works by that already."""
        manifests = (self.manifest, self.pending)
        return frozenset(one.name for manifest in manifests if manifest for one in manifest.categories)

    @property
    def title(self) -> str:
        """Return the name that people know it by."""
        return self.manifest.title if self.manifest else self.id

    @property
    def sealing_version(self) -> int:
        """Return the newest valid version that a host has announced; the newest of all while it has announced none."""
        return max(self._usable, default=self.secret_version)

    @property
    def shut_out(self) -> bool:
        """Whether every version that its host announced is revoked: it could open nothing that is sealed now."""
        return bool(self.announced_versions) and not self._usable

    @property
    def _usable(self) -> list[int]:
        return [one for one in self.announced_versions if self.min_secret_version <= one <= self.secret_version]

    def candidate(self) -> Candidate:
        """Return it as planning sees it."""
        if self.state == "retired":
            return Candidate(self.id, self.kind, Standing.RETIRED)
        if self.shut_out:
            return Candidate(self.id, self.kind, Standing.NEVER_ANNOUNCED)
        if self.manifest is None:
            return Candidate(self.id, self.kind, Standing.HELD if self.pending else Standing.NEVER_ANNOUNCED)
        return Candidate(
            self.id,
            self.kind,
            Standing.SERVED,
            self.manifest_version,
            frozenset(self.manifest.accepts),
            frozenset(self.manifest.resolves),
            frozenset(self.manifest.actions),
            frozenset(self.manifest.after),
            frozenset(self.manifest.fields),
        )


class Directory(Mapping[str, Enrolled]):
    """A snapshot of all rows, read in the transaction that uses it."""

    def __init__(self, rows: Mapping[str, Enrolled], root: RootKey) -> None:
        """Hold `rows` by id."""
        self._rows = dict(rows)
        self._root = root
        self._candidates: dict[bool, list[Candidate]] = {}

    @classmethod
    async def read(cls, connection: Connection, root: RootKey) -> "Directory":
        """Read every row: there are as many as a company has suppliers."""
        rows = [_enrolled(row) for row in await connection.fetch(SQL["all"])]
        return cls({one.id: one for one in rows}, root)

    def __getitem__(self, processor: str) -> Enrolled:
        """Return one."""
        return self._rows[processor]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def candidates(self, *, livemode: bool) -> list[Candidate]:
        """Return those of a mode as planning sees them: a request meets no others."""
        if livemode not in self._candidates:
            self._candidates[livemode] = [one.candidate() for one in self._of(livemode)]
        return self._candidates[livemode]

    def corrected_fields(self, *, livemode: bool) -> frozenset[str] | None:
        """Return the keys of the data register that a processor of a mode can correct; None while none is announced."""
        manifests = [one.manifest for one in self._of(livemode) if one.manifest and one.state != "retired"]
        if not manifests:
            return None
        return frozenset(field for one in manifests if Action.RECTIFY in one.actions for field in one.fields)

    def _of(self, livemode: bool) -> list[Enrolled]:  # noqa: FBT001
        return [one for one in self._rows.values() if one.livemode is livemode]

    def keys(self, processor: str) -> ProcessorKeys:  # type: ignore[override]  # a directory has keys of another kind
        """Return what to seal and prove with for a processor."""
        one = self._rows[processor]
        return self._root.processor_keys(one.id, one.enrolment_id, one.sealing_version)

    def hear(self, processor: str, versions: tuple[int, ...]) -> None:
        """Seal to a processor under what its host has just said that it holds, for as long as this snapshot is used."""
        self._rows[processor] = replace(self._rows[processor], announced_versions=versions)

    def keys_of(self, kid: str) -> ProcessorKeys | None:
        """Return the keys that a kid names while its version is valid; for seals in reports that were believed before.

        What a retired processor found was told while it was enrolled, and stands as its outcomes do.
        """
        processor, _, version = kid.partition("/")
        one = self._rows.get(processor)
        if one is None or not version.isdigit() or not one.min_secret_version <= int(version) <= one.secret_version:
            return None
        return self._root.processor_keys(one.id, one.enrolment_id, int(version))


def notifier_keys(root: RootKey) -> ProcessorKeys:
    """Return the notifier's keys."""
    return root.processor_keys(NOTIFIER, NOTIFIER_ENROLMENT, 1)


class EnrolledKeys:
    """A key source for consumers: derives the keys of every kid that is valid at the moment of the last refresh."""

    def __init__(self, database: Database, root: RootKey) -> None:
        """Know the notifier's keys alone until the first refresh."""
        self._database = database
        self._root = root
        self._keys = {(keys := notifier_keys(root)).kid: keys}

    def get(self, kid: str) -> ProcessorKeys | None:
        """Return the keys of a valid kid."""
        return self._keys.get(kid)

    async def refresh(self) -> None:
        """Read again which versions are valid; what was revoked, and all of a retired processor, is forgotten."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["valid_versions"])
        notifier = notifier_keys(self._root)
        found = {notifier.kid: notifier}
        for row in rows:
            for version in range(row["min_secret_version"], row["secret_version"] + 1):
                keys = self._root.processor_keys(row["id"], row["enrolment_id"], version)
                found[keys.kid] = keys
        self._keys = found

    def processors(self) -> set[str]:
        """Return the processors whose keys are known."""
        return {processor_of(kid) for kid in self._keys} - {NOTIFIER}


def _enrolled(row: Any) -> Enrolled:
    manifest = row["manifest"]
    return Enrolled(
        row["id"],
        row["kind"],
        row["enrolment_id"],
        row["secret_version"],
        row["min_secret_version"],
        tuple(row["announced_versions"]),
        row["state"],
        _manifest(manifest) if manifest else None,
        row["manifest_version"],
        _manifest(row["pending_manifest"]) if row["pending_manifest"] else None,
        row["livemode"],
        row["retired_by"],
    )


@lru_cache(maxsize=256)
def _manifest(text: str) -> WireManifest:
    """Return a stored manifest; it is read for every batch and changes with a release."""
    return WireManifest.model_validate(json.loads(text))
