"""Carries out an effect: re-read, whose is it, hold, remember, call, remember."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from habeas.engine.calls import Defect
from habeas.engine.finding import checked
from habeas.engine.holds import Hold, hold_on, longest
from habeas.engine.lines import reason_of
from habeas.engine.ports import StoredItem
from habeas.engine.rectifying import changes_to, decide
from habeas.engine.run import Key, Run, key_of
from habeas.engine.shapes import is_wait
from habeas.sdk import CannotFulfil, Item, Processor, Result, Wait, WrongPerson
from habeas.sdk.http import LEAST_TIME
from habeas.vocabulary import Action, Disposition


class CancelledInTime(Exception):
    """A cancel arrived before the first effect."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One kind of effect on items.

    `done`   what its success may be called.
    `after`  what became of an item that vanished after an effect on it was begun; `gone`, before one was begun.
    `holds`  whether retention keeps an item from it.
    `whole`  whether one call serves all of the subject's items.
    """

    done: frozenset[Disposition]
    after: Disposition
    gone: Disposition
    holds: bool = False
    whole: bool = False


# An item that was stored, is gone and was attempted went by our own hand: the answer was lost, not the effect. One
# that is gone without an attempt was there when we looked and somebody else removed it: already done, not "nothing".
EFFECTS: Mapping[Action, Effect] = {
    Action.ERASE: Effect(
        frozenset({Disposition.ERASED, Disposition.ANONYMISED, Disposition.SUPPRESSED}),
        after=Disposition.ERASED,
        gone=Disposition.ALREADY_DONE,
        holds=True,
    ),
    Action.RECTIFY: Effect(frozenset({Disposition.RECTIFIED}), Disposition.NOT_FOUND, Disposition.NOT_FOUND),
    Action.RESTRICT: Effect(frozenset({Disposition.RESTRICTED}), Disposition.NOT_FOUND, Disposition.NOT_FOUND),
    Action.LIFT: Effect(frozenset({Disposition.LIFTED}), Disposition.NOT_FOUND, Disposition.NOT_FOUND),
    Action.STOP: Effect(
        frozenset({Disposition.STOPPED, Disposition.SUPPRESSED}),
        Disposition.NOT_FOUND,
        Disposition.NOT_FOUND,
        whole=True,
    ),
}

_ALWAYS_ALLOWED = frozenset(
    {
        Disposition.ALREADY_DONE,
        Disposition.NOT_FOUND,
        Disposition.RETAINED,
        Disposition.REFUSED,
        Disposition.FAILED,
        Disposition.NOT_APPLICABLE,
    }
)


async def act(run: Run) -> Wait | None:
    """Bring every pending item to a result; return what is waited for when the vendor goes on by itself.

    Raises `WrongPerson` before anything is done to a batch with an item that changed hands, `CancelledInTime`, and
    `Defect` when the processor left items without a result.
    """
    effect = EFFECTS[run.task.action]
    wait = await _look_up(run)
    if wait is not None:
        return wait
    for batch in _batches(run, run.pending(), whole=effect.whole):
        if run.stored[batch[0].ordinal].result is not None:
            break  # the vendor cannot do it: all that was pending is decided already
        ready = await _cleared(run, batch)
        decided = await decide(run, ready) if run.task.action is Action.RECTIFY else None
        if decided is not None:
            ready = [item for item in ready if item.ordinal in decided]
        if ready:
            wait = await _carry_out(run, ready, decided)
            if wait is not None:
                return wait
    if run.pending():
        raise Defect("results_missing")
    return None


async def take_answer(run: Run, outcome: object, asked: Sequence[StoredItem]) -> Wait | None:
    """Remember what the vendor answered for `asked`: results, or the job to wait for, which is returned."""
    if isinstance(outcome, Wait):
        if not is_wait(outcome):
            raise Defect("malformed_wait")
        await run.wait_for(outcome)
        return outcome
    if not isinstance(outcome, Sequence):
        raise Defect("malformed_answer")
    allowed = EFFECTS[run.task.action].done | _ALWAYS_ALLOWED
    placed = run.by_ordinal(outcome, asked)
    if any(result.disposition not in allowed for result in placed.values()):
        raise Defect("disposition_of_another_action")
    if any(result.disposition is Disposition.RETAINED and not result.ground for result in placed.values()):
        raise Defect("retained_without_ground")
    # A job that is asked again after a crash tells again what is already remembered.
    await run.keep({ordinal: result for ordinal, result in placed.items() if run.stored[ordinal].result is None})
    return None


async def refuse(run: Run, items: Iterable[StoredItem], reason: str) -> None:
    """Remember that the vendor cannot do it for `items`."""
    await run.keep({item.ordinal: Result(item.item, Disposition.REFUSED, note=reason) for item in items})


async def fail(run: Run, items: Iterable[StoredItem], reason: str) -> None:
    """Remember that an effect on `items` was begun, and that nobody can find out any more what came of it."""
    await run.keep({item.ordinal: Result(item.item, Disposition.FAILED, note=reason) for item in items})


async def give_up(run: Run, items: Sequence[StoredItem], reason: str) -> None:
    """Refuse `items`, but for what was done to them before the vendor gave up: that is looked at again, and told.

    Raises whatever the reads raise: then nothing is decided, and the next try looks again.
    """
    begun = [item for item in items if run.stored[item.ordinal].attempted]
    for start in range(0, len(begun), run.serves.batch):
        batch = begun[start : start + run.serves.batch]
        now = await reread(run, batch)
        gone = [item for item in batch if key_of(item.item) not in now]
        await run.keep({item.ordinal: _gone(run, item.item) for item in gone})
        there = [item for item in batch if key_of(item.item) in now]
        if there and run.task.action is Action.RECTIFY:
            await decide(run, there)  # what holds the new value by now gets that as its result
    await refuse(run, [item for item in items if run.stored[item.ordinal].result is None], reason)


async def reread(run: Run, items: Sequence[StoredItem]) -> dict[Key, Item]:
    """Return those of `items` that still exist, as they are now; one the processor was not asked about is a defect."""
    asked = {key_of(item.item) for item in items}
    now: dict[Key, Item] = {}
    async for item in run.caller.stream(run.processor.reread, [item.item for item in items]):
        if key_of(checked(run, item)) not in asked:
            raise Defect("reread_of_unknown_item")
        now[key_of(item)] = item
    return now


async def _look_up(run: Run) -> Wait | None:
    """Where the manifest says so, ask what came of effects whose answer was lost before any is repeated."""
    begun = [item for item in run.pending() if item.attempted]
    overridden = type(run.processor).look_up is not Processor.look_up
    if not begun or run.serves.idempotency != "lookup_before_repeat" or not overridden:
        return None
    try:
        outcome: object = await run.caller.answer(run.processor.look_up, [item.item for item in begun])
    except CannotFulfil as error:
        await give_up(run, begun, reason_of(error))
        return None
    return None if outcome is None else await take_answer(run, outcome, begun)


async def _cleared(run: Run, batch: Sequence[StoredItem]) -> list[StoredItem]:
    """Return the items of `batch` that are still there, still the subject's and not held; results for the others."""
    now = await reread(run, batch)
    if not all(run.subject.owns(item.matched) for item in now.values()):
        raise WrongPerson("item_changed_hands")
    decided = {item.ordinal: _gone(run, item.item) for item in batch if key_of(item.item) not in now}
    if EFFECTS[run.task.action].holds:
        decided |= held(run, [item for item in batch if item.ordinal not in decided], now)
    await run.keep(decided)
    ready = [item for item in batch if item.ordinal not in decided]
    if run.held is None:
        return ready
    return [replace(item, item=now[key_of(item.item)]) for item in ready]  # a hold does not say by what it matched


def _gone(run: Run, item: Item) -> Result:
    """Return what became of an item that is not there any more."""
    effect, begun = EFFECTS[run.task.action], run.was_attempted(item)
    evidence = {"basis": "gone_after_attempt" if begun else "gone_before_attempt"}
    return Result(item, effect.after if begun else effect.gone, evidence=evidence)


def held(run: Run, items: Sequence[StoredItem], now: Mapping[Key, Item]) -> dict[int, Result]:
    """Return `retained` for every item that is held, or that would go together with one that is: the longest holds."""
    today = run.ctx.today()
    alone = {item.ordinal: hold_on(now[key_of(item.item)], run.task.retention, today=today) for item in items}
    together: dict[str, list[Hold]] = {}
    for known in run.stored.values():
        # What is held in another batch or pass may not go along with this one either.
        own = alone.get(known.ordinal)
        hold = own if known.ordinal in alone else hold_on(known.item, run.task.retention, today=today)
        if hold is not None:
            together.setdefault(run.processor.taken_with(known.item), []).append(hold)
    for beside, hold in run.held.beside if run.held is not None else ():
        if hold.until is None or today < hold.until:
            together.setdefault(run.processor.taken_with(beside), []).append(hold)
    decided = {}
    for item in items:
        hold = longest(together.get(run.processor.taken_with(item.item), ()))
        if hold is not None:
            note = None if hold == alone[item.ordinal] else "kept_together"
            decided[item.ordinal] = Result(
                item.item, Disposition.RETAINED, ground=hold.ground, until=hold.until, note=note
            )
    return decided


async def _carry_out(
    run: Run, items: Sequence[StoredItem], decided: Mapping[int, Mapping[str, str]] | None
) -> Wait | None:
    if run.ctx.cancelled():
        raise CancelledInTime
    run.ctx.require_time(2 * LEAST_TIME)
    await run.attempting(items, decided)
    try:
        outcome = await _perform(run, items)
    except CannotFulfil as error:
        await give_up(run, run.pending(), reason_of(error))
        return None
    return await take_answer(run, outcome, items)


async def _perform(run: Run, stored: Sequence[StoredItem]) -> object:
    processor, answer = run.processor, run.caller.answer
    items = [item.item for item in stored]
    match run.task.action:
        case Action.ERASE:
            return await answer(processor.erase, items)
        case Action.RECTIFY:
            return await answer(processor.rectify, changes_to(run, stored))
        case Action.RESTRICT:
            return await answer(processor.restrict, items)
        case Action.LIFT:
            return await answer(processor.lift, items)
        case _:
            return await answer(processor.stop, run.task.purposes)


def _batches(run: Run, items: Sequence[StoredItem], *, whole: bool) -> Iterator[list[StoredItem]]:
    """Yield `items` in batches of the manifest's size; those that go together stay together."""
    groups: dict[str, list[StoredItem]] = {}
    for item in items:
        groups.setdefault(run.processor.taken_with(item.item), []).append(item)
    batch: list[StoredItem] = []
    for group in groups.values():
        if batch and not whole and len(batch) + len(group) > run.serves.batch:
            yield batch
            batch = []
        batch.extend(group)
    if batch:
        yield batch
