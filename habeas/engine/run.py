"""One task in hand: its processor, its memory, and what is known of its items so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from habeas.engine.calls import Caller, Defect
from habeas.engine.context import TaskContext
from habeas.engine.matching import Owner
from habeas.engine.ports import Held, Ledger, Progress, StoredItem
from habeas.engine.shapes import has_key, is_result
from habeas.sdk import Identity, Item, Manifest, Processor, Result, Serves, Task, Unlisted, Wait
from habeas.vocabulary import DONE, Disposition

Key = tuple[str, str]

# Dispositions that change nothing at the processor though they count as done.
_NO_EFFECT = frozenset({Disposition.ALREADY_DONE})


def key_of(item: Item) -> Key:
    """Return what tells two items of one processor apart."""
    return (item.category, item.ref)


@dataclass(slots=True)
class Run:
    """One attempt at one task. `stored` is kept in step with the ledger, by ordinal."""

    task: Task
    processor: Processor[Any]  # the engine never looks into a processor's settings
    manifest: Manifest
    serves: Serves
    ledger: Ledger
    ctx: TaskContext
    caller: Caller
    subject: Owner
    max_passes: int
    held: Held | None = None
    stored: dict[int, StoredItem] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    unlisted: list[Unlisted] = field(default_factory=list)
    pass_no: int = 0
    located: bool = False
    wait: Wait | None = None
    effects: int = 0

    def take(self, progress: Progress) -> None:
        """Start from what is remembered."""
        self.stored = {item.ordinal: item for item in progress.items}
        self.identities = list(progress.identities)
        self.unlisted = list(progress.unlisted)
        self.pass_no = self.ctx.pass_no = progress.pass_no
        self.located = progress.located
        self.wait = progress.wait
        self.effects = progress.effects
        self.ctx.effects_begun = progress.effects > 0 or any(item.attempted for item in progress.items)

    def pending(self) -> list[StoredItem]:
        """Return the items that have no result yet, in the order in which they were found."""
        return [item for _, item in sorted(self.stored.items()) if item.result is None]

    def latest(self) -> dict[Key, StoredItem]:
        """Return one stored item per thing: the one of its last pass."""
        return {key_of(item.item): item for _, item in sorted(self.stored.items())}

    def was_attempted(self, item: Item) -> bool:
        """Whether an effect on this thing was begun, in this pass or an earlier one."""
        return any(known.attempted for known in self.stored.values() if key_of(known.item) == key_of(item))

    def decided_before(self, item: Item) -> dict[str, str]:
        """Return what was decided of this thing's fields before an effect on it was begun, in any pass; last wins."""
        words: dict[str, str] = {}
        for _, known in sorted(self.stored.items()):
            if key_of(known.item) == key_of(item):
                words.update(known.decided)
        return words

    async def begin_pass(self, pass_no: int) -> None:
        """Open a pass, dropping what a crash left of it half-found."""
        await self.ledger.begin_pass(pass_no)
        if pass_no == 1:
            self.identities.clear()
            self.unlisted.clear()
        self.stored = {ordinal: item for ordinal, item in self.stored.items() if item.pass_no < pass_no}
        self.pass_no, self.located = pass_no, False
        self.ctx.pass_no = pass_no

    async def all_found(self) -> None:
        """Mark the open pass as found whole: only now may there be effects."""
        for item in await self.ledger.located():
            self.stored[item.ordinal] = item
        self.located = True

    async def wait_for(self, wait: Wait | None) -> None:
        """Remember (or clear) what is waited for."""
        await self.ledger.waiting(wait)
        self.wait = wait

    async def attempting(
        self, items: Iterable[StoredItem], decided: Mapping[int, Mapping[str, str]] | None = None
    ) -> None:
        """Remember that an effect on `items` begins, and what was `decided` of their fields."""
        items, decided = list(items), decided or {}
        await self.ledger.attempting([item.ordinal for item in items], decided)
        self.ctx.effects_begun = True
        for item in items:
            words = decided.get(item.ordinal, {})
            self.stored[item.ordinal] = replace(item, attempted=True, decided=words)

    async def keep(self, results: Mapping[int, Result]) -> None:
        """Remember `results`, with how many of their records they changed."""
        if not results:
            return
        results = {ordinal: _with_evidence(result, self.stored[ordinal]) for ordinal, result in results.items()}
        effects = sum(1 for result in results.values() if result.disposition in DONE - _NO_EFFECT)
        await self.ledger.results(results, effects=effects)
        self.effects += effects
        for ordinal, result in results.items():
            known = self.stored[ordinal]
            self.stored[ordinal] = replace(known, result=result)

    def by_ordinal(self, results: Sequence[object], among: Iterable[StoredItem]) -> dict[int, Result]:
        """Return `results` by the ordinal of their item; one of something that was not handed over is a defect.

        So are two that tell different things of one item: nobody knows which of them holds.
        """
        ordinals = {key_of(item.item): item.ordinal for item in among}
        placed: dict[int, Result] = {}
        for result in results:
            if not isinstance(result, Result) or not has_key(result.item) or key_of(result.item) not in ordinals:
                raise Defect("result_of_unknown_item")
            if not is_result(result):
                raise Defect("malformed_result")
            ordinal = ordinals[key_of(result.item)]
            if placed.setdefault(ordinal, result).disposition is not result.disposition:
                raise Defect("two_results_of_one_item")
        return placed


def _with_evidence(result: Result, known: StoredItem) -> Result:
    """Return `result` with what was decided of the item's fields, which is told of by nothing else."""
    return replace(result, evidence={**result.evidence, **known.decided}) if known.decided else result
