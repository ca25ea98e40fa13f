"""Finds what lies below a subject's key prefix in S3, hands it out, and deletes every version of it for good."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, timedelta
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from habeas.sdk import (
    Action,
    CannotFulfil,
    Context,
    CredentialsRejected,
    Disposition,
    File,
    Http,
    Identity,
    IdentityType,
    Item,
    Processor,
    Record,
    Result,
    RetryLater,
    Unlisted,
)
from services.connectors.processors.s3.clients import Clients
from services.connectors.processors.s3.vendor import Ask, Bucket, Content, NoContentError, Version

FILES = "files"
UPLOADS = "uploads"
CLOCKS_DIFFER = timedelta(minutes=5)  # at most, S3's and ours: a lock that ended by ours may still hold by theirs
_SLOT = "{customer_id}/"


class Settings(BaseModel):
    """What an operator supplies."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    bucket: str = Field(min_length=3, max_length=255)
    region: str
    prefix: str = "customers/{customer_id}/"
    endpoint_url: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    access_key_id: SecretStr
    secret_access_key: SecretStr

    @field_validator("prefix")
    @classmethod
    def _closed_prefix(cls, prefix: str) -> str:
        """Without a slash behind the id, the files of `c-4` and those of `c-42` would lie below one prefix."""
        if prefix.count(_SLOT) != 1 or prefix.count("{") != 1 or prefix.count("}") != 1:
            msg = "the prefix must hold {customer_id}/ once and no other braces"
            raise ValueError(msg)
        if prefix.startswith("/"):
            msg = "keys do not begin with a slash"
            raise ValueError(msg)
        return prefix


class S3(Processor[Settings]):
    """One bucket. An item is a version, a delete marker or an unfinished upload; boto3 blocks, so methods are plain."""

    Config = Settings

    def __init__(self, *, config: Settings, http: Http) -> None:
        """Keep the settings; the client is made on entering."""
        super().__init__(config=config, http=http)
        self._opened: Bucket | None = None

    async def __aenter__(self) -> Self:
        """Make the client, in a thread because that takes a while."""
        self._opened = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        if self._opened is not None:
            await asyncio.to_thread(self._opened.close)
            self._opened = None

    def check(self, ctx: Context) -> None:
        """List one version."""
        self._bucket.check(_asking(ctx))

    def locate(self, ctx: Context) -> Iterator[Item | Unlisted]:
        """List everything below the prefix of each customer id; S3's lists are strongly consistent."""
        for item, version in self._below(_customers(ctx), ctx):
            yield item
            if version.cold and ctx.task.action is Action.EXPORT:
                yield Unlisted(FILES, "content_in_archive_storage")

    def reread(self, ctx: Context, items: Sequence[Item]) -> Iterator[Item]:
        """List again and yield those of `items` that are still there; whose they are, their keys say."""
        wanted = {item.ref for item in items}
        owners = dict.fromkeys(self._owner_of(_version(item).key) for item in items)
        for item, _ in self._below([owner for owner in owners if owner.value], ctx):
            if item.ref in wanted:
                yield item
        for item in items:
            # The prefix was another one when it was found: nobody can say whose it is now.
            if not self._owner_of(_version(item).key).value and self._is_there(_version(item), ctx):
                yield replace(item, matched=Identity(IdentityType.CUSTOMER_ID, ""))

    def export(self, ctx: Context, items: Sequence[Item]) -> Iterator[Record | File]:
        """Tell of every version and stream what it holds; what is gone meanwhile is left out."""
        for item in items:
            version = _version(item)
            if version.upload:
                yield Record(item, _told(version, "unfinished upload"))
                continue
            try:
                content = self._bucket.content(version, _asking(ctx), ctx.require_time)
            except NoContentError as error:
                yield Record(item, _told(version, "file in archive storage" if error.cold else "mark of a deletion"))
                continue
            if content is not None:
                yield Record(item, _told(version, "file", content))
                yield File(item, content.media_type, content.chunks)

    def verify(self, ctx: Context, items: Sequence[Item]) -> Iterator[Item]:
        """Yield whatever is still listed: one look serves both the known items and new ones."""
        return (item for item, _ in self._below(_customers(ctx), ctx))

    def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
        """Delete by version id, a thousand a call, and abort uploads; a locked version is retained."""
        versions = {item: _version(item) for item in items}
        failed = self._bucket.delete([each for each in versions.values() if not each.upload], _asking(ctx))
        results = []
        for item, version in versions.items():
            if version.upload:
                self._bucket.abort(version, _asking(ctx))
            code = failed.get((version.key, version.id))
            results.append(Result(item, Disposition.ERASED) if code is None else self._kept(item, version, code, ctx))
        return results

    @property
    def _bucket(self) -> Bucket:
        if self._opened is None:
            msg = "the processor is not open: use `async with`"
            raise RuntimeError(msg)
        return self._opened

    def _open(self) -> Bucket:
        config = self.config
        clients = Clients(
            region=config.region,
            access_key_id=config.access_key_id.get_secret_value(),
            secret_access_key=config.secret_access_key.get_secret_value(),
            endpoint_url=config.endpoint_url,
            addressing_style=config.addressing_style,
        )
        return Bucket(config.bucket, clients)

    def _below(self, identities: Sequence[Identity], ctx: Context) -> Iterator[tuple[Item, Version]]:
        prefixes = {identity: self._prefix_of(identity.value) for identity in identities}
        for identity, prefix in prefixes.items():
            for version in self._bucket.below(prefix, _asking(ctx)):
                # A store that ignored the prefix would hand out everybody's files.
                if version.key.startswith(prefix):
                    yield _item(version, identity), version

    def _is_there(self, version: Version, ctx: Context) -> bool:
        listed = self._bucket.below(version.key, _asking(ctx))
        return any((one.key, one.id) == (version.key, version.id) for one in listed)

    def _owner_of(self, key: str) -> Identity:
        """Return the customer id that stands in `key` where the prefix has it; an empty one where there is none."""
        before, _, after = self.config.prefix.partition(_SLOT)
        found = re.match(f"{re.escape(before)}([^/]+)/{re.escape(after)}", key)
        return Identity(IdentityType.CUSTOMER_ID, found[1] if found else "")

    def _prefix_of(self, customer_id: str) -> str:
        """Return the one person's prefix; raise `CannotFulfil` for an id that could reach beyond it."""
        unsafe = (
            not customer_id.strip()
            or customer_id != customer_id.strip()
            or customer_id in {".", ".."}
            or any(character in "/\\{}" or not character.isprintable() for character in customer_id)
            or len(customer_id.encode()) > 512
        )
        if unsafe:
            raise CannotFulfil("unsafe_customer_id")
        return self.config.prefix.replace(_SLOT, f"{customer_id}/")

    def _kept(self, item: Item, version: Version, code: str, ctx: Context) -> Result:
        """Say why a version stayed: a lock keeps it, or we may not delete at all, or something else."""
        if code in {"NoSuchKey", "NoSuchVersion"}:
            return Result(item, Disposition.ALREADY_DONE)
        if code != "AccessDenied":
            return Result(item, Disposition.FAILED, note="not_deleted")
        lock = self._bucket.lock_on(version, _asking(ctx))
        if lock is None or (lock.until is not None and lock.until + CLOCKS_DIFFER <= ctx.now()):
            raise CredentialsRejected("delete_not_permitted")
        if lock.until is not None and lock.until <= ctx.now():
            raise RetryLater("lock_just_ended")
        note = None if lock.until else "legal_hold"
        return Result(item, Disposition.RETAINED, ground="object_lock", until=lock.gone_on, note=note)


def _customers(ctx: Context) -> list[Identity]:
    return [each for each in ctx.identities if each.type is IdentityType.CUSTOMER_ID]


def _asking(ctx: Context) -> Ask:
    """Return what runs before every call: wait for our turn, then see how long the call may take."""

    def ask() -> float:
        ctx.before_effect_in_thread()
        return ctx.time_left()

    return ask


def _told(version: Version, what: str, content: Content | None = None) -> dict[str, object]:
    """Return what the person is told of a version beside its bytes, which follow in a file where it has any."""
    told: dict[str, object] = {
        "key": version.key,
        "version": version.id,
        "what": what,
        "date": version.dated.isoformat(),
    }
    if content is not None:
        told |= {"media_type": content.media_type, "bytes": content.size, "metadata": dict(content.metadata)}
        told["date"] = content.modified.astimezone(UTC).isoformat()
    return told


def _item(version: Version, matched: Identity) -> Item:
    ref = json.dumps([version.key, version.id], ensure_ascii=False)
    return Item(ref, UPLOADS if version.upload else FILES, matched, dated=version.dated)


def _version(item: Item) -> Version:
    key, version_id = json.loads(item.ref)
    return Version(key, version_id, item.dated or date.min, upload=item.category == UPLOADS)
