"""One person's task at a vendor under test, run as often as it takes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from habeas.engine import Again, Park, Settled, Verdict, work
from habeas.sdk import Action, Correction, Identity, Processor, RetentionRule, Right, Task
from habeas.testing.memory import MemoryExports, MemoryLedger, Time
from habeas.testing.vendor import VendorUnderTest

# Runs that a task may take, waits and retries included, before the kit says that it never ends.
MOST_RUNS = 60

_RIGHTS: Mapping[Action, Right] = {
    Action.EXPORT: Right.ACCESS,
    Action.RECTIFY: Right.RECTIFICATION,
    Action.RESTRICT: Right.RESTRICTION,
    Action.LIFT: Right.RESTRICTION,
    Action.STOP: Right.CONSENT_WITHDRAWAL,
}


@dataclass(slots=True)
class Trial:
    """One person's task at the vendor under test, with a memory that outlives its runs.

    `processor` is one that is open already (None: one is opened for each run); `tampered` changes it for a run;
    `late_since` is when the task was due, and when it had to be there at the latest.
    """

    vendor: VendorUnderTest
    identities: Sequence[Identity]
    action: Action = Action.ERASE
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: Time = field(default_factory=Time)
    exports: MemoryExports = field(default_factory=MemoryExports)
    corrections: Sequence[Correction] = ()
    retention: Sequence[RetentionRule] = ()
    purposes: Sequence[str] = ("marketing",)
    late_since: datetime | None = None
    processor: Processor[Any] | None = None
    tampered: Callable[[Processor[Any]], AbstractContextManager[None]] | None = None

    @property
    def task(self) -> Task:
        """The task, as it would be handed to the engine."""
        return Task(
            id="tsk_kit",
            request_id="req_kit",
            processor="kit",
            action=self.action,
            right=_RIGHTS.get(self.action, Right.ERASURE),
            identities=tuple(self.identities),
            due_at=self.late_since,
            not_after=self.late_since,
            corrections=tuple(self.corrections),
            retention=tuple(self.retention),
            purposes=tuple(self.purposes),
        )

    async def run(self) -> Verdict:
        """Work on the task once, through a processor that was opened for it."""
        if self.processor is not None:
            return await self._work(self.processor)
        async with self.vendor.open() as processor:
            return await self._work(processor)

    async def finish(self, *, defects: int = 0) -> Settled | Park:
        """Run until the task is settled or parked, letting time pass where it waits.

        `defects` is how many runs may end in a defect of the processor.
        """
        for _ in range(MOST_RUNS):
            verdict = await self.run()
            if not isinstance(verdict, Again):
                return verdict
            defects -= verdict.counts
            if defects < 0:
                pytest.fail(
                    f"the processor met a defect: {verdict.reason}. It is the class of the error that it raised, or "
                    "what the engine found wrong with its answer; raise an error of habeas.sdk for what a vendor does"
                )
            self.let_pass(verdict)
        pytest.fail(f"the task did not end within {MOST_RUNS} runs: does `resume` ever answer with results?")

    def let_pass(self, again: Again) -> None:
        """Let the time pass that the task waits for."""
        self.clock.advance(timedelta(seconds=again.after or 1.0))

    async def _work(self, processor: Processor[Any]) -> Verdict:
        with self.tampered(processor) if self.tampered is not None else nullcontext():
            return await work(
                self.task,
                processor=processor,
                manifest=self.vendor.manifest,
                ledger=self.ledger,
                clock=self.clock,
                exports=self.exports,
            )
