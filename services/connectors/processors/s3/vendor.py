"""S3 as far as this processor needs it: list versions and uploads, delete by version, read locks; errors told apart."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from habeas.sdk import CredentialsRejected, RetryLater, retry_after

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectIdentifierTypeDef

# At debug level these quote keys, signatures and bodies.
for _loud in ("boto3", "botocore", "urllib3", "s3transfer"):
    logging.getLogger(_loud).setLevel(logging.INFO)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 15.0
# What a call may take at most; asked of the lease before each one.
CALL_TIME = CONNECT_TIMEOUT + READ_TIMEOUT + 2.0
# DeleteObjects takes a thousand.
MOST_KEYS = 1_000

_BUSY = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout", "InternalError",
     "ServiceUnavailable", "OperationAborted", "503", "500"}
)  # fmt: skip
_FORBIDDEN = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401", "403",
     "AccountProblem", "AllAccessDisabled"}
)  # fmt: skip


class UnexpectedAnswerError(Exception):
    """S3 refused a call as we made it: no such bucket, say. No excuse to refuse the person."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version or a delete marker (`upload` False), or an unfinished upload (its id in `id`)."""

    key: str
    id: str
    dated: date
    upload: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """What keeps a version: retention until a day, or a legal hold without an end."""

    until: date | None


class Bucket:
    """One bucket. `before_call` runs before every call and raises when there is no time for it; calls block."""

    def __init__(
        self,
        *,
        bucket: str,
        region: str,
        access_key_id: str,
        secret_access_key: str,
        endpoint_url: str | None,
        addressing_style: Literal["auto", "path", "virtual"],
    ) -> None:
        """Make the client, which takes some 100 ms. It never retries by itself: the engine decides that."""
        self._bucket = bucket
        self._client: S3Client = boto3.session.Session(
            aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key, region_name=region
        ).client(
            "s3",
            endpoint_url=endpoint_url,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
                retries={"total_max_attempts": 1, "mode": "standard"},
                s3={"addressing_style": addressing_style},
                proxies={},
            ),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self, before_call: Callable[[], None]) -> None:
        """List one version."""
        before_call()
        with _told_apart():
            self._client.list_object_versions(Bucket=self._bucket, MaxKeys=1)

    def below(self, prefix: str, before_call: Callable[[], None]) -> Iterator[Version]:
        """Yield every version, delete marker and unfinished upload whose key starts with `prefix`."""
        yield from self._versions(prefix, before_call)
        yield from self._uploads(prefix, before_call)

    def delete(self, versions: Sequence[Version], before_call: Callable[[], None]) -> Mapping[tuple[str, str], str]:
        """Delete versions and markers for good; return the error code by (key, version) of those that stayed.

        The answer is 200 even where keys failed. Raises `RetryLater` when any of them only asks for patience.
        """
        failed: dict[tuple[str, str], str] = {}
        for start in range(0, len(versions), MOST_KEYS):
            targets: list[ObjectIdentifierTypeDef] = [
                {"Key": version.key, "VersionId": version.id} for version in versions[start : start + MOST_KEYS]
            ]
            before_call()
            with _told_apart():
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": targets, "Quiet": True})
            for error in answer.get("Errors", ()):
                failed[error.get("Key", ""), error.get("VersionId", "")] = error.get("Code", "")
        if _BUSY & set(failed.values()):
            raise RetryLater("slow_down")
        return failed

    def abort(self, upload: Version, before_call: Callable[[], None]) -> None:
        """Drop an unfinished upload; one that is gone is as good."""
        before_call()
        with _told_apart(gone={"NoSuchUpload"}):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=upload.id)

    def lock_on(self, version: Version, before_call: Callable[[], None]) -> Lock | None:
        """Return what keeps a version from being deleted, or None where nothing does (that we may see)."""
        heads: list[HeadObjectOutputTypeDef] = []
        before_call()
        with _told_apart(gone={"404", "405", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}):
            heads.append(self._client.head_object(Bucket=self._bucket, Key=version.key, VersionId=version.id))
        for head in heads:
            if head.get("ObjectLockLegalHoldStatus") == "ON":
                return Lock(None)
            if "ObjectLockRetainUntilDate" in head:
                return Lock(head["ObjectLockRetainUntilDate"].date())
        return None

    def _versions(self, prefix: str, before_call: Callable[[], None]) -> Iterator[Version]:
        at: dict[str, Any] = {}
        while True:
            before_call()
            with _told_apart():
                page = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix, **at)
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield Version(found["Key"], found["VersionId"], found["LastModified"].date())
            if not page.get("IsTruncated"):
                return
            at = _moved(
                at, KeyMarker=page.get("NextKeyMarker", ""), VersionIdMarker=page.get("NextVersionIdMarker", "")
            )

    def _uploads(self, prefix: str, before_call: Callable[[], None]) -> Iterator[Version]:
        at: dict[str, Any] = {}
        while True:
            before_call()
            with _told_apart():
                page = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **at)
            for found in page.get("Uploads", ()):
                yield Version(found["Key"], found["UploadId"], found["Initiated"].date(), upload=True)
            if not page.get("IsTruncated"):
                return
            at = _moved(at, KeyMarker=page.get("NextKeyMarker", ""), UploadIdMarker=page.get("NextUploadIdMarker", ""))


def _moved(at: Mapping[str, str], **markers: str) -> dict[str, str]:
    """Return the next page's markers; markers that stand still would be read for ever."""
    after = {name: value for name, value in markers.items() if value}
    if not after or after == at:
        raise RetryLater("cursor_stands_still")
    return after


@contextmanager
def _told_apart(gone: frozenset[str] | set[str] = frozenset()) -> Iterator[None]:
    """Name botocore's errors by what happens next; codes in `gone` are no error. Their texts quote keys: left out."""
    try:
        yield
    except ClientError as error:
        meaning = _meaning(error, gone)
        if meaning is not None:
            raise meaning from None
    except BotoCoreError:
        raise RetryLater("unreachable") from None


def _meaning(error: ClientError, gone: frozenset[str] | set[str]) -> Exception | None:
    code = str(error.response.get("Error", {}).get("Code", ""))
    facts = error.response.get("ResponseMetadata", {})
    if code in gone:
        return None
    if code in _BUSY or int(facts.get("HTTPStatusCode", 0)) >= 500:
        return RetryLater("slow_down", after=retry_after(facts.get("HTTPHeaders", {}).get("retry-after")))
    if code in _FORBIDDEN:
        return CredentialsRejected()
    return UnexpectedAnswerError()
