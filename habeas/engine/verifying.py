"""Looks again after the effect: what remains, and is it what should remain?"""

from collections.abc import Sequence
from dataclasses import dataclass

from habeas.engine.acting import reread
from habeas.engine.calls import NoAnswer
from habeas.engine.finding import checked
from habeas.engine.ports import StoredItem
from habeas.engine.run import Key, Run, key_of
from habeas.sdk import Identity, Item, Processor
from habeas.vocabulary import Action, Checked, Disposition

# What stays, and should be seen to.
_STAYS = frozenset({Disposition.RETAINED, Disposition.REFUSED, Disposition.FAILED, Disposition.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Look:
    """What a second look found: `residue` should not be there, `seen` is everything that was."""

    residue: Sequence[Item]
    seen: frozenset[Key]


def can_look(run: Run) -> bool:
    """Whether a second look tells anything: the vendor lets us, and somebody knows what to look for."""
    overridden = type(run.processor).verify is not Processor.verify
    return run.serves.verify and (overridden or run.task.action is Action.ERASE)


async def look_again(run: Run) -> Look:
    """Return what remains: by the processor's own `verify`, else by a strong read of the items and a fresh locate.

    Raises whatever the reads raise: a vendor that can not be reached has proven nothing.
    """
    latest = run.latest()
    remaining = await _own_look(run, [item.item for item in latest.values()])
    if remaining is None:
        remaining = await _default_look(run, list(latest.values()))
    residue = {
        key_of(item): item
        for item in remaining
        if run.subject.owns(item.matched) and _should_be_gone(latest.get(key_of(item)))
    }
    return Look(tuple(residue.values()), frozenset(key_of(item) for item in remaining))


def checked_by(look: Look | None, item: StoredItem) -> Checked:
    """Return how sure the result of `item` is after `look` found no residue (None: there was no look)."""
    if look is None:
        return Checked.ATTESTED
    if item.result is not None and item.result.disposition in _STAYS and key_of(item.item) not in look.seen:
        return Checked.ATTESTED
    return Checked.VERIFIED


def _should_be_gone(known: StoredItem | None) -> bool:
    return known is None or known.result is None or known.result.disposition not in _STAYS | {Disposition.SUPPRESSED}


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
    located = run.caller.stream(run.processor.locate)
    remaining.extend([checked(run, thing) async for thing in located if not isinstance(thing, Identity)])
    return remaining
