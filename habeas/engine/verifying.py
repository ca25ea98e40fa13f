"""Looks again after the effect: what remains, and is it what should remain?"""

from collections.abc import Sequence
from dataclasses import dataclass

from habeas.engine.acting import reread
from habeas.engine.calls import NoAnswer
from habeas.engine.finding import checked, unlisted
from habeas.engine.ports import StoredItem
from habeas.engine.rectifying import values_that_differ
from habeas.engine.run import Key, Run, key_of
from habeas.sdk import Identity, Item, Processor, Unlisted
from habeas.vocabulary import Action, Checked, Disposition

# What stays, and should be seen to.
_STAYS = frozenset({Disposition.RETAINED, Disposition.REFUSED, Disposition.FAILED, Disposition.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Look:
    """What a second look found: `residue` is not as it should be, `unseen` should be there and was not seen."""

    residue: Sequence[Item]
    unseen: frozenset[Key] = frozenset()


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
    residue = {
        key_of(item): item
        for item in remaining
        if run.subject.owns(item.matched) and _should_be_gone(latest.get(key_of(item)))
    }
    seen = {key_of(item) for item in remaining}
    stays = [known for known in latest.values() if known.result is not None and known.result.disposition in _STAYS]
    return Look(tuple(residue.values()), frozenset(key_of(known.item) for known in stays) - seen)


def checked_by(look: Look | None, item: StoredItem) -> Checked:
    """Return how sure the result of `item` is after `look` found no residue (None: there was no look)."""
    if look is None:
        return Checked.ATTESTED
    return Checked.ATTESTED if key_of(item.item) in look.unseen else Checked.VERIFIED


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
    if run.held is not None:
        return remaining
    async for thing in run.caller.stream(run.processor.locate):
        if isinstance(thing, Unlisted):
            news = unlisted(run, thing)  # what could be listed before the effect and cannot be now is not proven
            run.unlisted += [news] if news is not None else []
        elif not isinstance(thing, Identity):
            remaining.append(checked(run, thing))
    return remaining
