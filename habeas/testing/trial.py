"""One person's task at a vendor under test, run as often as it takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from habeas.engine import Again, Park, Settled, Verdict, work
from habeas.sdk import Action, Identity, Right, Task
from habeas.testing.memory import MemoryLedger, Time
from habeas.testing.vendor import VendorUnderTest

# Runs that a task may take, waits and retries included, before the kit says that it never ends.
MOST_RUNS = 60


@dataclass(slots=True)
class Trial:
    """One person's task at the vendor under test, with a memory that outlives its runs."""

    vendor: VendorUnderTest
    identities: Sequence[Identity]
    action: Action = Action.ERASE
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: Time = field(default_factory=Time)

    async def run(self) -> Verdict:
        """Work on the task once, through a processor that was opened for it."""
        task = Task("tsk_kit", "req_kit", "kit", self.action, Right.ERASURE, tuple(self.identities))
        async with self.vendor.open() as processor:
            return await work(
                task, processor=processor, manifest=self.vendor.manifest, ledger=self.ledger, clock=self.clock
            )

    async def finish(self) -> Settled | Park:
        """Run until the task is settled or parked, letting time pass where it waits."""
        for _ in range(MOST_RUNS):
            verdict = await self.run()
            if not isinstance(verdict, Again):
                return verdict
            assert not verdict.counts, f"the processor met a defect: {verdict.reason}"
            self.clock.advance(timedelta(seconds=verdict.after or 1.0))
        pytest.fail("the task never ended")
