"""Looks again after the effect: what remains, and is it what should remain?"""

from collections.abc import Sequence
from dataclasses import dataclass

from habeas.engine.acting import reread
from habeas.engine.calls import NoAnswer
from habeas.engine.finding import checked, located_anew
from habeas.engine.ports import StoredItem
from habeas.engine.rectifying import values_that_differ
from habeas.engine.run import Key, Run, key_of
from habeas.sdk import Item, Processor
from habeas.vocabulary import Action, Checked, Disposition

# What stays, and should be seen to.
_STAYS = frozenset({Disposition.RETAINED, Disposition.REFUSED, Disposition.FAILED, Disposition.NOT_APPLICABLE})

# What is told as gone altogether. What was made anonymous may be read again, as nobody's.
_GONE = frozenset({Disposition.ERASED, Disposition.ALREADY_DONE, Disposition.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Look:
    """What a second look found.

    `residue`   is not as it should be, and the subject's.
    `unproven`  was not seen as it should be: what should be there was not seen; or what is told as gone is still read,
                though it is not the subject's any more; or what is told as suppressed is there and theirs.
    """

    residue: Sequence[Item]
    unproven: frozenset[Key] = frozenset()


def can_look(run: Run) -> bool:
    """Whether a second look tells anything: the vendor lets us, and somebody knows what to look for."""
    overridden = type(run.processor).verify is not Processor.verify
    return run.serves.verify and (overridden or run.task.action in (Action.ERASE, Action.RECTIFY))


async def look_again(run: Run) -> Look:
    """Return what remains: by the processor's own `verify`, else by a strong read of the items and a fresh locate.

    A rectification is looked at through `read` alone, what a hold kept by the strong read alone. Raises whatever the
    reads raise: a vendor that cannot be reached has proven nothing.
    """
    if run.task.action is Action.RECTIFY:
        wrong, unread = await values_that_differ(run)
        return Look(wrong, unread)
    latest = run.latest()
    remaining = await _own_look(run, [item.item for item in latest.values()]) if run.held is None else None
    if remaining is None:
        remaining = await _default_look(run, list(latest.values()))
    mine = {key_of(item): item for item in remaining if run.subject.owns(item.matched)}
    residue = [item for key, item in mine.items() if _should_be_gone(latest.get(key))]
    seen = {key_of(item) for item in remaining}
    unproven = {key for key, known in latest.items() if not _as_told(known, seen=key in seen, mine=key in mine)}
    return Look(tuple(residue), frozenset(unproven))


def checked_by(look: Look | None, item: StoredItem) -> Checked:
    """Return how sure the result of `item` is after `look` found no residue (None: there was no look)."""
    if look is None:
        return Checked.ATTESTED
    return Checked.ATTESTED if key_of(item.item) in look.unproven else Checked.VERIFIED


def _should_be_gone(known: StoredItem | None) -> bool:
    return known is None or known.result is None or known.result.disposition not in _STAYS | {Disposition.SUPPRESSED}


def _as_told(known: StoredItem, *, seen: bool, mine: bool) -> bool:
    """Whether an item was seen, or was not, as its result lets one expect."""
    told = known.result.disposition if known.result is not None else None
    if told in _STAYS:
        return seen
    if told is Disposition.SUPPRESSED:
        return not mine
    return told not in _GONE or not seen


async def _own_look(run: Run, items: list[Item]) -> list[Item] | None:
    if type(run.processor).verify is Processor.verify:
        return None
    try:
        return [checked(run, item) async for item in run.caller.stream(run.processor.verify, items)]
    except NoAnswer:
        return None


async def _default_look(run: Run, items: Sequence[StoredItem]) -> list[Item]:
    remaining: list[Item] = []
    for start in range(0, len(items), run.serves.batch):
        remaining.extend((await reread(run, items[start : start + run.serves.batch])).values())
    if run.held is not None:
        return remaining
    return remaining + await located_anew(run)
