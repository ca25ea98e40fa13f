"""Rectification: which correction is to be written to which item, and whether it stands there afterwards.

A value is compared by what it means. A field whose key ends in an identity type (`contact.email`, `contact.phone`) is
normalised as such an identity is; any other value is trimmed and compared in Unicode's composed form; an empty value
and none at all are one. A vendor that writes a value in another spelling than that has not written it: the engine
tries as often as it looks again, and then asks a person (`residue_remains`).

Where the old value was given and the field holds neither the old nor the new one after a write was begun, nobody can
tell whether the vendor changed what we wrote or somebody else wrote: nothing is overwritten and a person is asked
(`value_differs_after_write`).
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from habeas.engine.calls import Defect
from habeas.engine.lines import line
from habeas.engine.matching import normalised
from habeas.engine.ports import OutcomeLine, StoredItem
from habeas.engine.run import Key, Run, key_of
from habeas.engine.shapes import has_key
from habeas.sdk import Change, Correction, Identity, IdentityType, Item, Manifest, Result, Task, Values
from habeas.vocabulary import Checked, Disposition

# What is decided of a field before the effect; kept in the ledger and, as evidence, with the result.
WRITE = "write"
WRITTEN = "written"  # by an earlier try at this task
ALREADY_NEW = "already_new"
OLD_VALUE_DIFFERS = "old_value_differs"

UNKNOWN_FIELD = "unknown_field"

_IDENTITY_TYPES = frozenset(kind.value for kind in IdentityType)


class Unclear(Exception):
    """A field whose writing was begun holds neither the old value nor the new one."""


def categories_of(run: Run) -> frozenset[str]:
    """Return the categories of the items that the task's corrections may concern; empty: none that is known here."""
    return frozenset(run.manifest.fields[one.field].category for one in _known(run.manifest, run.task))


def owned_values(task: Task) -> Iterator[Identity]:
    """Yield the identities that the corrections give the subject: an item that has them already is no stranger's."""
    for one in task.corrections:
        kind = identity_type(one.field)
        if kind is not None and one.new:
            yield Identity(kind, one.new)


def identity_type(field: str) -> IdentityType | None:
    """Return the identity type of which the values of `field` are, told by the last part of its key."""
    name = field.rpartition(".")[2]
    return IdentityType(name) if name in _IDENTITY_TYPES else None


def same(field: str, one: str | None, other: str | None) -> bool:
    """Whether two values of `field` mean the same."""
    return _plain(field, one) == _plain(field, other)


async def decide(run: Run, items: Sequence[StoredItem]) -> dict[int, dict[str, str]]:
    """Read `items` and return, by ordinal, what is to be done with each field of those that need writing.

    The others get their result at once. Raises `Unclear`.
    """
    now = await _read(run, [item.item for item in items])
    writing: dict[int, dict[str, str]] = {}
    done: dict[int, Result] = {}
    for item in items:
        if key_of(item.item) not in now:
            raise Defect("item_not_read")  # it was re-read a moment ago; the next try finds out
        words = _words(run, item, now[key_of(item.item)])
        if WRITE in words.values():
            writing[item.ordinal] = words
        else:
            done[item.ordinal] = _unwritten(item.item, words)
    await run.keep(done)
    return writing


def changes_to(run: Run, items: Iterable[StoredItem]) -> list[Change]:
    """Return what the processor is to write."""
    return [
        Change(item.item, [one for one in _of(run, item.item) if run.stored[item.ordinal].decided[one.field] == WRITE])
        for item in items
    ]


async def values_that_differ(run: Run) -> tuple[tuple[Item, ...], frozenset[Key]]:
    """Return the items whose fields do not hold what was written, and the keys of those that could not be read."""
    done = (Disposition.RECTIFIED, Disposition.ALREADY_DONE)
    # One without a result was to be done again by a pass that a crash cut short before it was found whole.
    right = [known for known in run.latest().values() if known.result is None or known.result.disposition in done]
    wrong: list[Item] = []
    unread: set[Key] = set()
    for start in range(0, len(right), run.serves.batch):
        batch = right[start : start + run.serves.batch]
        now = await _read(run, [known.item for known in batch])
        unread.update(key_of(known.item) for known in batch if key_of(known.item) not in now)
        wrong += [known.item for known in batch if key_of(known.item) in now and _differs(run, known, now)]
    return tuple(wrong), frozenset(unread)


def fields_told(run: Run) -> list[StoredItem]:
    """Return the items to tell of; one of which a part was refused comes a second time, for the refusal."""
    told = list(run.latest().values())
    for known in tuple(told):
        result = known.result
        if result is None or result.disposition is Disposition.REFUSED:
            continue
        if any(result.evidence.get(one.field) == OLD_VALUE_DIFFERS for one in run.task.corrections):
            refused = Result(known.item, Disposition.REFUSED, result.count, note=OLD_VALUE_DIFFERS)
            told.append(replace(known, result=refused))
    return told


def unknown_fields(run: Run) -> tuple[OutcomeLine, ...]:
    """Return the one line that refuses corrections of fields that the manifest does not name."""
    if all(one.field in run.manifest.fields for one in run.task.corrections):
        return ()
    return (line(Disposition.REFUSED, Checked.NOT_CHECKABLE, reason=UNKNOWN_FIELD),)


def _words(run: Run, item: StoredItem, values: Mapping[str, str | None]) -> dict[str, str]:
    """Decide what is to be done with each field of `item` that a correction concerns."""
    before = run.decided_before(item.item)
    words: dict[str, str] = {}
    for one in _of(run, item.item):
        begun = before.get(one.field) in (WRITE, WRITTEN)
        current = values[one.field]
        is_old = one.old is None or same(one.field, current, one.old)
        if same(one.field, current, one.new):
            words[one.field] = WRITTEN if begun else ALREADY_NEW
        elif is_old:
            words[one.field] = WRITE
        elif begun:
            raise Unclear
        else:
            words[one.field] = OLD_VALUE_DIFFERS
    return words


def _unwritten(item: Item, words: Mapping[str, str]) -> Result:
    told = set(words.values())
    if WRITTEN in told:
        return Result(item, Disposition.RECTIFIED, evidence={"basis": "new_after_attempt", **words})
    if ALREADY_NEW in told:
        return Result(item, Disposition.ALREADY_DONE, evidence=words)
    return Result(item, Disposition.REFUSED, note=OLD_VALUE_DIFFERS, evidence=words)


def _differs(run: Run, known: StoredItem, now: Mapping[Key, Mapping[str, str | None]]) -> bool:
    values = now[key_of(known.item)]
    evidence = known.result.evidence if known.result is not None else {}
    return any(
        evidence.get(one.field) != OLD_VALUE_DIFFERS and not same(one.field, values[one.field], one.new)
        for one in _of(run, known.item)
    )


async def _read(run: Run, items: Sequence[Item]) -> dict[Key, Mapping[str, str | None]]:
    """Return what those of `items` that the processor could read hold in the fields to be corrected."""
    now: dict[Key, Mapping[str, str | None]] = {}
    for category in sorted({item.category for item in items}):
        asked = [item for item in items if item.category == category]
        fields = [one.field for one in _of(run, asked[0])]
        keys = {key_of(item) for item in asked}
        async for values in run.caller.stream(run.processor.read, asked, fields):
            if not _values_of(values, keys):
                raise Defect("values_of_unknown_item")
            if not values.fields.keys() >= set(fields):
                raise Defect("values_missing")
            now[key_of(values.item)] = values.fields
    return now


def _values_of(values: object, keys: Collection[Key]) -> bool:
    return isinstance(values, Values) and has_key(values.item) and key_of(values.item) in keys


def _of(run: Run, item: Item) -> list[Correction]:
    """Return the corrections that concern `item`; of two for one field the later one holds."""
    concerned = {one.field: one for one in _known(run.manifest, run.task)}
    return [one for field, one in concerned.items() if run.manifest.fields[field].category == item.category]


def _known(manifest: Manifest, task: Task) -> list[Correction]:
    return [one for one in task.corrections if one.field in manifest.fields]


def _plain(field: str, value: str | None) -> str:
    kind = identity_type(field)
    text = unicodedata.normalize("NFC", value or "").strip()
    return normalised(Identity(kind, text)).value if kind is not None else text
