"""What a processor finds and what became of it: items, results, waits, values, records and files."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from habeas.vocabulary import Disposition, IdentityType


@dataclass(frozen=True, slots=True)
class Identity:
    """One identifier of a subject, as given or as resolved by a processor.

    `value` is as the request names it, or the vendor; a request's phone numbers are in E.164. The engine compares
    e-mails and user names without regard to case, phone numbers without their ornament, and ids as they are.
    """

    type: IdentityType
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing found at a processor.

    `ref`      what the vendor knows it by; enough to read it again and to act on it, also years later. Not empty.
               Personal data: never logged, sealed at rest.
    `category` a data category of the manifest, such as `contact` or `files`; with `ref` it tells two items apart.
    `matched`  the identity by which it was found to be the subject's, as the vendor has it: of a type of
               `ctx.identities`. The engine compares it again before any effect, and stops (`wrong_person`) where it is
               none of the subject's.
    `count`    how many records of the person it stands for, at least 1; outcomes count records.
    `dated`    the day that retention counts from, where the item has one: of an invoice, the day it was issued.
               Where a rule applies and there is none, the item is kept without an end.
    """

    ref: str = field(repr=False)
    category: str
    matched: Identity
    count: int = 1
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item.

    `item`        one of those handed over; told apart by category and ref.
    `disposition` one that the action may have: see the method that answers with it.
    `count`       how many records it was; 1 means as many as the item stands for.
    `ground`, `until`  belong to `retained`: a machine word, and the first day on which it may go.
    `note`        a machine word that explains a refusal or a failure (`object_locked`), never personal data.
    `evidence`    plain facts for the audit, never personal data.

    A word is letters, digits, `_`, `.` and `-`, at most 64; anything else is told as `unspecified`.
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

    `job`       what the vendor knows the job by, not empty. Personal data: sealed at rest.
    `check_at`  when to ask next; aware (`ctx.now()` plus a timedelta). Never sooner than a second from now.
    `expect_by` when to call for attention (`job_overdue`) if it is still not over; aware.
    `reason`    a machine word for operators, such as `redaction_queued`.

    It is stored before the vendor is asked again, so a restart loses no job.
    """

    job: str = field(repr=False)
    check_at: datetime
    expect_by: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Data of `category` that the vendor cannot list for this subject: yielded by `locate` instead of silence.

    The outcome then says `failed`, `not_checkable`, with this `reason` (a machine word): never that nothing was found.
    For a copy it also stands for what can be listed and is not handed out, beside the items that are.
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
