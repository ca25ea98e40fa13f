"""What all rules stand on: a vendor, a story told to it, and what must hold at its end."""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from habeas.engine import Park, Settled, StoredItem, Verdict
from habeas.sdk import Action, Disposition, Identity
from habeas.testing.memory import Crashed, DyingLedger, MemoryLedger
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import DONE, Checked

Story = Callable[[VendorUnderTest], Coroutine[Any, Any, None]]
Key = tuple[str, str]
QUICK = "HABEAS_KIT_MOST_CALLS"


class Kit(ABC):
    """Gives every rule a vendor, and skips with a reason what does not apply or can not be arranged."""

    people_are_alike: bool = True
    """Whether every person of the vendor under test has equally many things, so that counts can be compared."""

    most_calls: int = 40
    """Calls of one task, and steps of its memory, at which a fault or crash is tried: spread over all that there are.

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

    def _some_of(self, count: int) -> list[int]:
        """Return numbers below `count`, spread evenly from the first to the last: all, or as many as are tried."""
        most = min(self.most_calls, int(os.environ.get(QUICK, self.most_calls)))
        if count <= most:
            return list(range(count))
        return sorted({round(place * (count - 1) / max(most - 1, 1)) for place in range(most)})


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
    assert dispositions == {Disposition.NOT_FOUND}, f"nothing is there, yet something was found: {told.lines}"
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
