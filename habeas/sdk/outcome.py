"""What a processor finds and what became of it: items, results, waits, values, records and files."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from habeas.vocabulary import Disposition, IdentityType


@dataclass(frozen=True, slots=True)
class Identity:
    """One identifier of a subject, as given or as resolved by a processor.

    `value` is normalised by type: an e-mail in lower case, a phone number in E.164.
    """

    type: IdentityType
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing found at a processor.

    `ref`      what the vendor knows it by; enough to read it again and to act on it. Personal data: never logged.
    `category` a data category of the manifest, such as `contact` or `files`.
    `matched`  the identity by which it was found to be the subject's; the engine compares it again before any effect.
    `count`    how many records of the person it stands for, at least 1.
    `dated`    the date that retention counts from, where the item has one.
    """

    ref: str = field(repr=False)
    category: str
    matched: Identity
    count: int = 1
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item.

    `count` is how many records it was; 1 means as many as the item stands for.
    `ground` and `until` belong to `retained`; `note` is a machine word that explains a refusal or a failure
    (`object_locked`), never personal data; `evidence` holds plain facts for the audit, never personal data.
    """

    item: Item
    disposition: Disposition
    count: int = 1
    ground: str | None = None
    until: date | None = None
    note: str | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """The vendor works on it: ask again later through `Processor.resume`.

    `job` is what the vendor knows the job by (personal data: sealed at rest); `check_at` is when to ask next and
    `expect_by` when to call for attention.
    """

    job: str = field(repr=False)
    check_at: datetime
    expect_by: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Data of `category` that the vendor can not list for this subject: yielded by `locate` instead of silence.

    The outcome then says `failed`, `not_checkable`, with this `reason` (a machine word): never that nothing was found.
    """

    category: str
    reason: str = "cannot_be_listed"


@dataclass(frozen=True, slots=True)
class Values:
    """What `item` holds now in the fields that a rectification asks about, by register key; None where it is empty."""

    item: Item
    fields: Mapping[str, str | None] = field(repr=False)


Results = Sequence[Result] | Wait


@dataclass(frozen=True, slots=True)
class Record:
    """One exported record: the item it came from and its fields.

    `fields` are JSON values (text, numbers that are finite, booleans, None, lists, and mappings with text keys), by
    names that a person can read; times as RFC 3339 text. At most 16 MB as JSON: what is larger is a `File`.
    """

    item: Item
    fields: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class File:
    """One exported file, streamed.

    `media_type` is what the vendor says it is, such as `image/png` (`application/octet-stream` where it does not say).
    `chunks` are its bytes in pieces of any size, async or plain (a plain one is advanced in the processor's thread).
    They are read to their end before the next record or file is asked for, and may raise what `export` may raise.
    """

    item: Item
    media_type: str
    chunks: AsyncIterator[bytes] | Iterable[bytes] = field(repr=False)
