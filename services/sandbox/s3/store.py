"""The bucket's own state, reached without HTTP: filling it, and reading what is really there."""

import hashlib
import mimetypes
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend, s3_backends


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker (which has no content); `mode` and `until` are its retention."""

    key: str
    version_id: str
    marker: bool
    digest: str = ""
    mode: str = ""
    until: str = ""
    legal_hold: str = ""


@dataclass(frozen=True)
class Content:
    """An object to put: its versions oldest first, whether a delete marker tops them, whether it is locked."""

    key: str
    versions: tuple[bytes, ...]
    deleted: bool = False
    locked: bool = False


class _Sight(FakeKey):
    """A version as a listing sees it: the same content, and nothing to clean up when it is let go."""

    def __del__(self) -> None:
        """Leave the content to the version that it was seen of."""


def _sight(version: FakeKey, _: dict[int, Any]) -> FakeKey:
    """Return what a listing may change: for each, moto copies every version of a bucket, and keeps the copies."""
    seen: FakeKey = object.__new__(_Sight)
    seen.__dict__.update(version.__dict__)
    return seen


FakeKey.__deepcopy__ = _sight  # type: ignore[attr-defined]


class ObjectStore:
    """One versioned bucket with object lock in moto's memory. `lock` makes every call over HTTP or from here whole."""

    def __init__(self, bucket: str, region: str) -> None:
        self.bucket = bucket
        self.lock = threading.RLock()
        self._region = region
        self._create_bucket()

    def put(self, contents: Iterable[Content], *, retained_for: timedelta = timedelta(days=30)) -> None:
        """Fill the bucket; a locked object is under COMPLIANCE retention, which nobody can lift."""
        until = (datetime.now(UTC) + retained_for).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self.lock:
            for content in contents:
                mode, end = ("COMPLIANCE", until) if content.locked else (None, None)
                media_type = mimetypes.guess_type(content.key)[0] or "binary/octet-stream"
                for body in content.versions:
                    put = self._backend.put_object(self.bucket, content.key, body, lock_mode=mode, lock_until=end)
                    put.set_metadata({"Content-Type": media_type})
                if content.deleted:
                    self._backend.delete_object(self.bucket, content.key)

    def versions(self, prefix: str = "") -> list[Version]:
        """Every version and delete marker below a prefix."""
        with self.lock:
            keys = self._keys()
            return [version for key in keys if key.startswith(prefix) for version in self.versions_of(self.bucket, key)]

    def versions_of(self, bucket: str, key: str) -> list[Version]:
        """Every version and delete marker of one key, oldest first; none where bucket or key is unknown."""
        with self.lock:
            known = self._backend.buckets.get(bucket)
            return [_version(one) for one in known.keys.getlist(key, [])] if known else []

    def reset(self) -> None:
        """Empty everything and create the bucket anew."""
        with self.lock:
            self._backend.reset()
            self._create_bucket()

    @property
    def _backend(self) -> S3Backend:
        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def _keys(self) -> list[str]:
        return list(dict.fromkeys(self._backend.get_bucket(self.bucket).keys.keys()))

    def _create_bucket(self) -> None:
        created = self._backend.create_bucket(self.bucket, self._region)
        created.versioning_status = "Enabled"
        created.object_lock_enabled = True


def _version(found: Any) -> Version:
    if isinstance(found, FakeDeleteMarker):
        return Version(found.name, found.version_id, marker=True)
    return Version(
        found.name,
        str(found.version_id),
        marker=False,
        digest=hashlib.sha256(found.value + repr(sorted(found.metadata.items())).encode()).hexdigest(),
        mode=found.lock_mode or "",
        until=found.lock_until or "",
        legal_hold=str(found.lock_legal_status or ""),
    )
