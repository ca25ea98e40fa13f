"""What all rules stand on: a vendor, a story told to it, and what must hold at its end."""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from habeas.engine import Park, Settled, StoredItem, Verdict
from habeas.sdk import Action, Disposition, Identity, Result
from habeas.testing.memory import Crashed, DyingLedger, MemoryLedger
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import DONE, Checked

Story = Callable[[VendorUnderTest], Coroutine[Any, Any, None]]
Key = tuple[str, str]
QUICK = "HABEAS_KIT_MOST_CALLS"
READS = ("GET", "HEAD")


class Kit(ABC):
    """Gives every rule a vendor, and skips with a reason what does not apply or cannot be arranged."""

    people_are_alike: bool = True
    """Whether every person of the vendor under test has equally many things, so that counts can be compared."""

    most_calls: int | None = None
    """Calls of one task, and steps of its memory, at which a fault or crash is tried: spread over all that there are,
    the first effect among them. None: all of them.

    The environment variable `HABEAS_KIT_MOST_CALLS` lowers it, for a quick look.
    """

    @abstractmethod
    def vendor(self) -> VendorUnderTest:
        """Return the vendor under test, calm and reachable."""

    def _tell(self, story: Story, *serves: Action) -> None:
        """Tell `story` to a vendor whose manifest serves these actions."""
        vendor = self.vendor()
        for action in serves:
            if action not in vendor.manifest.actions:
                pytest.skip(f"the manifest does not serve {action.value}")
        try:
            asyncio.run(story(vendor))
        except NotArranged as error:
            pytest.skip(str(error))

    def _some_of(self, count: int, *, surely: int | None = None) -> list[int]:
        """Return numbers below `count`, spread evenly from the first to the last: all, or as many as are tried.

        `surely` is among them: it takes the place of its nearest neighbour.
        """
        limits = [self.most_calls, int(os.environ.get(QUICK, count))]
        most = min(limit for limit in limits if limit is not None)
        if count <= most:
            return list(range(count))
        some = {round(place * (count - 1) / max(most - 1, 1)) for place in range(most)}
        if surely is not None and surely < count:
            some = some - {min(some, key=lambda number: abs(number - surely))} | {surely}
        return sorted(some)


@dataclass(slots=True)
class WatchedLedger(MemoryLedger):
    """Notes when the first effect was: before which call of `vendor`, and at which step its result was remembered."""

    vendor: VendorUnderTest | None = None
    begun_at: int | None = None
    remembered_at: int | None = None

    async def attempting(self, ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> None:
        await MemoryLedger.attempting(self, ordinals, decided)
        if self.begun_at is None and self.vendor is not None:
            self.begun_at = self.vendor.calls

    async def results(self, results: Mapping[int, Result], *, effects: int) -> None:
        if self.remembered_at is None and effects:
            self.remembered_at = self.crash.steps
        await MemoryLedger.results(self, results, effects=effects)

    @property
    def effect_at(self) -> int | None:
        """The number of the first call that does not only read, of those that followed the beginning of an effect."""
        if self.vendor is None or self.begun_at is None or self.vendor.calls <= self.begun_at:
            return None
        calls = self.vendor.seen[self.begun_at - self.vendor.calls :]
        return self.begun_at + next((n for n, call in enumerate(calls) if call.method not in READS), 0)


def all_gone(verdict: Verdict, vendor: VendorUnderTest) -> Settled:
    """Return `verdict` when it says that everything is erased, and checked."""
    told = settled(verdict)
    dispositions = {line.disposition for line in told.lines}
    assert told.lines, "it settled without a word"
    assert dispositions <= DONE, f"not everything is gone: {told.lines}"
    if vendor.manifest.actions[Action.ERASE].verify:
        assert {line.checked for line in told.lines} == {Checked.VERIFIED}, (
            f"nobody looked again after the erasure: {told.lines}. Let `reread` and `locate` find what remains"
        )
    return told


def settled(verdict: Verdict, hint: str = "see the attention and the reason") -> Settled:
    """Return `verdict` when the task is over; `hint` says what to look at when it is not."""
    assert isinstance(verdict, Settled), f"the task should be over, but it says {verdict}: {hint}"
    return verdict


def nothing_found(verdict: Verdict) -> Settled:
    """Return `verdict` when it says that nothing is there and that nothing was done."""
    told = settled(verdict, "nothing is there, yet something was found")
    dispositions = {line.disposition for line in told.lines}
    assert dispositions == {Disposition.NOT_FOUND}, (
        f"nothing is there, yet something was found: {told.lines}. Let `locate` yield what the vendor holds now, and "
        "nothing from memory or of its own making"
    )
    assert told.effects == 0, "where nothing is there, nothing may be done: no trace of somebody unknown"
    return told


def counted(verdict: Settled | Park) -> int:
    """Return how many records the outcome speaks of."""
    return sum(line.count for line in verdict.lines) if isinstance(verdict, Settled) else 0


def by_key(ledger: MemoryLedger) -> Mapping[Key, StoredItem]:
    """Return what a ledger knows of each thing, as of its last pass."""
    return {(known.item.category, known.item.ref): known for _, known in sorted(ledger.items.items())}


async def held(vendor: VendorUnderTest, identities: tuple[Identity, ...]) -> Mapping[Key, StoredItem]:
    """Return what the processor finds now, by dying before it does anything."""
    trial = Trial(vendor, identities, ledger=DyingLedger())
    try:
        await trial.run()
    except Crashed:
        return by_key(trial.ledger)
    return by_key(trial.ledger)


def changed(identities: tuple[Identity, ...], old: str | None, new: str) -> tuple[Identity, ...]:
    """Return what a person is known by after `old` became `new`."""
    return tuple(Identity(one.type, new) if one.value == old else one for one in identities)
