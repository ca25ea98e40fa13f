"""Finds what lies below a subject's key prefix in S3 and deletes every version of it for good."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from habeas.sdk import (
    CannotFulfil,
    Context,
    CredentialsRejected,
    Disposition,
    Http,
    Identity,
    IdentityType,
    Item,
    Processor,
    Result,
)
from services.connectors.processors.s3.vendor import CALL_TIME, Bucket, Version

FILES = "files"
UPLOADS = "uploads"
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

    def locate(self, ctx: Context) -> Iterator[Item | Identity]:
        """List everything below the prefix of each customer id; S3's lists are strongly consistent."""
        yield from self._below([each for each in ctx.identities if each.type is IdentityType.CUSTOMER_ID], ctx)

    def reread(self, ctx: Context, items: Sequence[Item]) -> Iterator[Item]:
        """List again and yield those of `items` that are still there."""
        wanted = {item.ref for item in items}
        for item in self._below(list(dict.fromkeys(item.matched for item in items)), ctx):
            if item.ref in wanted:
                yield item

    def verify(self, ctx: Context, items: Sequence[Item]) -> Iterator[Item]:
        """Yield whatever is still listed: one look serves both the known items and new ones."""
        return self._below([each for each in ctx.identities if each.type is IdentityType.CUSTOMER_ID], ctx)

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
        return Bucket(
            bucket=config.bucket,
            region=config.region,
            access_key_id=config.access_key_id.get_secret_value(),
            secret_access_key=config.secret_access_key.get_secret_value(),
            endpoint_url=config.endpoint_url,
            addressing_style=config.addressing_style,
        )

    def _below(self, identities: Sequence[Identity], ctx: Context) -> Iterator[Item]:
        prefixes = {identity: self._prefix_of(identity.value) for identity in identities}
        for identity, prefix in prefixes.items():
            for version in self._bucket.below(prefix, _asking(ctx)):
                # A store that ignored the prefix would hand out everybody's files.
                if version.key.startswith(prefix):
                    yield _item(version, identity)

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
            return Result(item, Disposition.FAILED, note=code)
        lock = self._bucket.lock_on(version, _asking(ctx))
        if lock is None or _over(lock.until, ctx.today()):
            raise CredentialsRejected("delete_not_permitted")
        note = None if lock.until else "legal_hold"
        return Result(item, Disposition.RETAINED, ground="object_lock", until=lock.until, note=note)


def _asking(ctx: Context) -> Callable[[], None]:
    """Return what runs before every call: wait for our turn, then see that the lease outlasts the call."""

    def ask() -> None:
        ctx.before_effect_in_thread()
        ctx.require_time(CALL_TIME)

    return ask


def _over(until: date | None, today: date) -> bool:
    return until is not None and until < today


def _item(version: Version, matched: Identity) -> Item:
    ref = json.dumps([version.key, version.id], ensure_ascii=False)
    return Item(ref, UPLOADS if version.upload else FILES, matched, dated=version.dated)


def _version(item: Item) -> Version:
    key, version_id = json.loads(item.ref)
    return Version(key, version_id, item.dated or date.min, upload=item.category == UPLOADS)
