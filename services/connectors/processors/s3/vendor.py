"""S3 as far as this processor needs it: list versions and uploads, read, delete by version, read locks."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from habeas.sdk import CredentialsRejected, RetryLater, busy, retry_after
from services.connectors.processors.s3.clients import Clients, patience_for

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectIdentifierTypeDef

# Bytes that are read of an object before the lease is looked at again.
CHUNK = 1 << 18
# DeleteObjects takes a thousand.
MOST_KEYS = 1_000
# Classes of storage that an object must be restored from, which takes hours, before it can be read.
COLD = frozenset({"GLACIER", "DEEP_ARCHIVE"})

# Asked before every call: waits for our turn, raises when there is no time, and returns the seconds that are left.
Ask = Callable[[], float]

_BUSY = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout", "InternalError",
     "ServiceUnavailable", "OperationAborted", "503", "500"}
)  # fmt: skip
_FORBIDDEN = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401", "403",
     "AccountProblem", "AllAccessDisabled"}
)  # fmt: skip


_GONE = frozenset({"NoSuchKey", "NoSuchVersion"})
_NOTHING_TO_READ = _GONE | {"MethodNotAllowed", "InvalidObjectState"}


class UnexpectedAnswerError(Exception):
    """S3 refused a call as we made it: no such bucket, say. No excuse to refuse the person."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version or a delete marker (`upload` False), or an unfinished upload (its id in `id`).

    `cold` says that it lies in an archive, from which it can not be read at once.
    """

    key: str
    id: str
    dated: date
    upload: bool = False
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """What keeps a version: retention until a moment (aware), or a legal hold without an end."""

    until: datetime | None

    @property
    def gone_on(self) -> date | None:
        """The first day, in UTC, at whose beginning nothing keeps it any more."""
        if self.until is None:
            return None
        day = self.until.astimezone(UTC)
        return day.date() if day.time() == time.min else day.date() + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds; `chunks` are its bytes, and end the call when they are read or let go."""

    media_type: str
    size: int
    modified: datetime
    metadata: Mapping[str, str] = field(repr=False)
    chunks: Generator[bytes, None, None] = field(repr=False)


class NoContentError(Exception):
    """A version has no bytes that could be read: it is a delete marker, or lies in an archive (`cold`)."""

    def __init__(self, *, cold: bool) -> None:
        """Say which."""
        self.cold = cold
        super().__init__()


class Bucket:
    """One bucket; calls block."""

    def __init__(self, bucket: str, clients: Clients) -> None:
        """Take the bucket's name and the clients of its account, to be closed with it."""
        self._bucket = bucket
        self._clients = clients

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def check(self, ask: Ask) -> None:
        """List one version."""
        client = self._client(ask)
        with _told_apart():
            client.list_object_versions(Bucket=self._bucket, MaxKeys=1)

    def below(self, prefix: str, ask: Ask) -> Iterator[Version]:
        """Yield every version, delete marker and unfinished upload whose key starts with `prefix`."""
        yield from self._versions(prefix, ask)
        yield from self._uploads(prefix, ask)

    def delete(self, versions: Sequence[Version], ask: Ask) -> Mapping[tuple[str, str], str]:
        """Delete versions and markers for good; return the error code by (key, version) of those that stayed.

        The answer is 200 even where keys failed. Raises `RetryLater` when any of them only asks for patience.
        """
        failed: dict[tuple[str, str], str] = {}
        for start in range(0, len(versions), MOST_KEYS):
            targets: list[ObjectIdentifierTypeDef] = [
                {"Key": version.key, "VersionId": version.id} for version in versions[start : start + MOST_KEYS]
            ]
            client = self._client(ask)
            with _told_apart():
                answer = client.delete_objects(Bucket=self._bucket, Delete={"Objects": targets, "Quiet": True})
            for error in answer.get("Errors", ()):
                failed[error.get("Key", ""), error.get("VersionId", "")] = error.get("Code", "")
        if _BUSY & set(failed.values()):
            raise RetryLater("slow_down")
        return failed

    def abort(self, upload: Version, ask: Ask) -> None:
        """Drop an unfinished upload; one that is gone is as good."""
        client = self._client(ask)
        with _told_apart(gone={"NoSuchUpload"}):
            client.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=upload.id)

    def lock_on(self, version: Version, ask: Ask) -> Lock | None:
        """Return what keeps a version from being deleted, or None where nothing does (that we may see)."""
        heads: list[HeadObjectOutputTypeDef] = []
        client = self._client(ask)
        with _told_apart(gone={"404", "405", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}):
            heads.append(client.head_object(Bucket=self._bucket, Key=version.key, VersionId=version.id))
        for head in heads:
            if head.get("ObjectLockLegalHoldStatus") == "ON":
                return Lock(None)
            if "ObjectLockRetainUntilDate" in head:
                return Lock(head["ObjectLockRetainUntilDate"])
        return None

    def content(self, version: Version, ask: Ask, require_time: Callable[[float], None]) -> Content | None:
        """Open a version, or return None where it is gone. Raises `NoContentError`.

        `require_time` is asked before each chunk for the seconds that reading it may take.
        """
        patience = patience_for(ask())
        try:
            with _told_apart(unlike=_NOTHING_TO_READ):
                answer = self._clients.of(patience).get_object(
                    Bucket=self._bucket, Key=version.key, VersionId=version.id
                )
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise NoContentError(cold=_code(error) == "InvalidObjectState") from None
        _of_s3(answer, "ETag")
        return Content(
            answer.get("ContentType") or "application/octet-stream",
            answer["ContentLength"],
            answer["LastModified"],
            answer["Metadata"],
            _chunks(answer["Body"], lambda: require_time(patience)),
        )

    def _client(self, ask: Ask) -> "S3Client":
        return self._clients.of(patience_for(ask()))

    def _versions(self, prefix: str, ask: Ask) -> Iterator[Version]:
        at: dict[str, Any] = {}
        while True:
            client = self._client(ask)
            with _told_apart():
                page = client.list_object_versions(Bucket=self._bucket, Prefix=prefix, **at)
            _of_s3(page, "Name")
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                cold = found.get("StorageClass") in COLD
                yield Version(found["Key"], found["VersionId"], found["LastModified"].date(), cold=cold)
            if not page.get("IsTruncated"):
                return
            at = _moved(
                at, KeyMarker=page.get("NextKeyMarker", ""), VersionIdMarker=page.get("NextVersionIdMarker", "")
            )

    def _uploads(self, prefix: str, ask: Ask) -> Iterator[Version]:
        at: dict[str, Any] = {}
        while True:
            client = self._client(ask)
            with _told_apart():
                page = client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **at)
            _of_s3(page, "Bucket")
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


def _chunks(body: "StreamingBody", ask: Callable[[], None]) -> Generator[bytes, None, None]:
    """Yield what an open call still has to give, and end the call; `ask` runs before each read."""
    try:
        while True:
            ask()
            with _told_apart():
                chunk = body.read(CHUNK)
            if not chunk:
                return
            yield chunk
    finally:
        body.close()


@contextmanager
def _told_apart(
    gone: frozenset[str] | set[str] = frozenset(), *, unlike: frozenset[str] = frozenset()
) -> Iterator[None]:
    """Name botocore's errors by what happens next; codes in `gone` are no error, those in `unlike` stay as they are.

    Their texts quote keys: left out.
    """
    try:
        yield
    except ClientError as error:
        if _code(error) in unlike:
            raise
        meaning = _meaning(error, gone)
        if meaning is not None:
            raise meaning from None
    except BotoCoreError:
        raise RetryLater("unreachable") from None
    except ResponseParserError:
        raise RetryLater("unreadable_answer") from None


def _of_s3(answer: Mapping[str, object], name: str) -> None:
    """Raise `RetryLater` where an answer lacks what S3's always have: it is a proxy's page, which parses as empty."""
    if name not in answer:
        raise RetryLater("unreadable_answer")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _meaning(error: ClientError, gone: frozenset[str] | set[str]) -> Exception | None:
    code = _code(error)
    facts = error.response.get("ResponseMetadata", {})
    if code in gone:
        return None
    headers = {name.lower(): str(value) for name, value in facts.get("HTTPHeaders", {}).items()}
    if code in _BUSY:
        return RetryLater("slow_down", after=retry_after(headers.get("retry-after")))
    status = int(facts.get("HTTPStatusCode", 0))
    if (patience := busy(status, headers)) is not None:
        return patience
    if status == 401 or code in _FORBIDDEN:
        return CredentialsRejected()
    return UnexpectedAnswerError()
