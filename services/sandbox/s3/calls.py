"""One S3 call as the ledger sees it: which keys it aims at, and what it changed there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from services.sandbox.ledger import Entry
from services.sandbox.s3.deleting import Deletion, Result, Target, parse
from services.sandbox.s3.store import ObjectStore, Version

State = Mapping[str, tuple[Version, ...]]
"""Versions by key."""

_SUBRESOURCES = (
    "tagging",
    "legal-hold",
    "retention",
    "acl",
    "uploads",
    "uploadId",
    "versioning",
    "object-lock",
    "policy",
)


@dataclass(frozen=True)
class S3Call:
    """A call by method, bucket, key ("" = the bucket itself) and query; `deletion` where it deletes objects."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, list[str]]
    idempotency_key: str | None
    deletion: Deletion | None

    @classmethod
    def of(cls, environ: Mapping[str, Any], body: bytes) -> "S3Call":
        """Read a WSGI request in path style. Raises `MalformedDeletionError`."""
        path = str(environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
        bucket, _, key = path.lstrip("/").partition("/")
        query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
        method = str(environ["REQUEST_METHOD"])
        deletion = None
        if method == "POST" and "delete" in query and not key:
            deletion = parse(body)
        elif method == "DELETE" and key and not set(query) & set(_SUBRESOURCES):
            version_id = query.get("versionId", [None])[0]
            deletion = Deletion((Target(key, version_id),), quiet=False)
        return cls(method, bucket, key, query, environ.get("HTTP_IDEMPOTENCY_KEY"), deletion)

    @property
    def writes(self) -> bool:
        """Whether it aims at state."""
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def batch(self) -> bool:
        """Whether it is DeleteObjects."""
        return self.deletion is not None and self.method == "POST"

    @property
    def effect(self) -> str:
        """Its name on the ledger where it neither adds nor removes a version."""
        part = next((name for name in _SUBRESOURCES if name in self.query), None)
        verb = "delete" if self.deletion else self.method.lower()
        return f"{'object' if self.key or self.deletion else 'bucket'}.{verb}" + (f"_{part.lower()}" if part else "")

    def state(self, store: ObjectStore) -> State:
        """What is there now of the keys it names."""
        keys = [one.key for one in self.deletion.targets] if self.deletion else [self.key]
        return {key: tuple(store.versions_of(self.bucket, key)) for key in keys if key}


def results(call: S3Call, before: State, after: State) -> list[Result]:
    """What became of each target of a DeleteObjects call."""
    found = []
    fresh = {key: [one for one in after[key] if one.marker and one not in before[key]] for key in after}
    for target in call.deletion.targets if call.deletion else ():
        left = {one.version_id for one in after[target.key]}
        if target.version_id is None:
            marker = fresh[target.key].pop(0).version_id if fresh[target.key] else None
            found.append(Result(target, marker=marker))
        else:
            removed = any(one.marker for one in before[target.key] if one.version_id == target.version_id)
            refused = target.version_id in left
            found.append(Result(target, refused, target.version_id if removed and not refused else None))
    return found


def entries(call: S3Call, before: State, after: State) -> list[Entry]:
    """One line per version that went or came; where none did, one line that says whether anything changed."""
    lines = [line for key in after for line in _moves(call, key, before[key], after[key])]
    if lines:
        return lines
    changed = call.deletion is None
    targets = call.deletion.targets if call.deletion else (Target(call.key, None),)
    return [_entry(call, call.effect, one.key, one.version_id, changed=changed) for one in targets]


def _moves(call: S3Call, key: str, before: tuple[Version, ...], after: tuple[Version, ...]) -> list[Entry]:
    had, has = {one.version_id for one in before}, {one.version_id for one in after}
    gone = [_entry(call, "object.delete", key, one.version_id) for one in before if one.version_id not in has]
    new = [one for one in after if one.version_id not in had]
    return gone + [
        _entry(call, "object.delete_marker" if one.marker else "object.put", key, one.version_id) for one in new
    ]


def person_of(key: str) -> str | None:
    """The customer id in a key `customers/<customer_id>/...`."""
    parts = key.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "customers" else None


def _entry(call: S3Call, effect: str, key: str, version_id: str | None, *, changed: bool = True) -> Entry:
    target = f"{call.bucket}/{key}" + (f"@{version_id}" if version_id else "")
    return Entry(effect, target, person_of(key), call.idempotency_key, changed)
