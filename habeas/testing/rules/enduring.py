"""Endurance: crashes, repeats, shutdowns and company change nothing of how it ends."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from habeas.sdk import Action, Identity, Item, Unlisted
from habeas.testing.memory import Crash, Crashed, MemoryLedger
from habeas.testing.rules.kit import Kit, WatchedLedger, all_gone, counted, nothing_found, settled
from habeas.testing.tampering import dying_in_locate
from habeas.testing.trial import Trial
from habeas.testing.vendor import VendorUnderTest
from habeas.vocabulary import DONE

LATE = "whether a task came too late its host has judged: let `due_at` and `not_after` decide nothing"


class EnduranceRules(Kit):
    """What must hold however often a task is begun."""

    def test_a_crash_at_any_step_loses_nothing(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            ledger = WatchedLedger(vendor=vendor)
            whole = counted(await Trial(vendor, await vendor.person(), ledger=ledger).finish())
            for step in self._some_of(ledger.crash.steps, surely=ledger.remembered_at):
                trial = Trial(vendor, await vendor.person(), ledger=MemoryLedger(crash=Crash(at=step)))
                with pytest.raises(Crashed):
                    await trial.finish()
                await self._finishes(trial, whole, f"after a crash at step {step} of its ledger")

        self._tell(story, Action.ERASE)

    def test_a_crash_in_mid_locate_loses_nothing(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            calm = Trial(vendor, await vendor.person())
            whole = counted(await calm.finish())
            for things in self._some_of(len(calm.ledger.items)):
                trial = Trial(vendor, await vendor.person(), tampered=dying_in_locate(things))
                with pytest.raises(Crashed):
                    await trial.run()
                trial.tampered = None
                await self._finishes(trial, whole, f"after a crash when {things} things were found")

        self._tell(story, Action.ERASE)

    def test_a_shutdown_in_mid_work_loses_nothing(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            calm = Trial(vendor, await vendor.person())
            whole = counted(await calm.finish())
            for moment in ("found", "attempting"):
                trial = Trial(vendor, await vendor.person(), ledger=StoppingLedger(stop_at=moment))
                run = asyncio.ensure_future(trial.run())
                await asyncio.wait({run})
                assert run.cancelled(), (
                    "the host was shut down in mid-work and the processor went on: let asyncio.CancelledError pass, "
                    "and catch no BaseException"
                )
                await self._finishes(trial, whole, "after a shutdown in mid-work")

        self._tell(story, Action.ERASE)

    def test_a_task_that_comes_twice_is_done_once(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            first = all_gone(await trial.finish(), vendor)
            again = all_gone(await trial.finish(), vendor)
            assert again == first, "a duplicate of the task told something else"
            nothing_found(await Trial(vendor, trial.identities).finish())  # and so did one on an empty ledger

        self._tell(story, Action.ERASE)

    def test_a_late_task_ends_as_any_other(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            trial.late_since = trial.clock.now() - timedelta(days=40)
            told = settled(await trial.finish(), LATE)
            assert {line.disposition for line in told.lines} <= DONE, f"it was late and told {told.lines}: {LATE}"
            all_gone(told, vendor)
            assert await vendor.remains(trial.identities) == 0, f"it was late and something is left: {LATE}"

        self._tell(story, Action.ERASE)

    def test_tasks_in_the_wrong_order_find_nothing(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            all_gone(await Trial(vendor, identities).finish(), vendor)
            for action in (Action.EXPORT, Action.RECTIFY):
                if action in vendor.manifest.actions:
                    late = Trial(vendor, identities, action=action, corrections=())
                    verdict = await late.finish()
                    assert counted(verdict) == 0, f"{action} came after the erasure and still told of something"

        self._tell(story, Action.ERASE)

    def test_two_people_at_a_time_do_not_mix(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            whole = counted(await Trial(vendor, await vendor.person()).finish())
            people = [await vendor.person() for _ in range(3)]
            async with vendor.open() as processor:
                trials = [Trial(vendor, one, processor=processor) for one in people]
                verdicts = await asyncio.gather(*(trial.finish() for trial in trials))
            hint = "tasks that ran at a time got into each other's way: keep nothing of a task on the processor"
            for verdict, trial in zip(verdicts, trials, strict=True):
                all_gone(settled(verdict, hint), vendor)
                assert await vendor.remains(trial.identities) == 0, hint
                assert counted(verdict) == whole or not self.people_are_alike, hint

        self._tell(story, Action.ERASE)

    async def _finishes(self, trial: Trial, whole: int, when: str) -> None:
        verdict = settled(await trial.finish(), when)
        assert counted(verdict) > 0, f"{when} it said that nothing was there: remember nothing between two runs"
        left = await trial.vendor.remains(trial.identities)
        assert left == 0, f"{when} the vendor still holds {left}"
        all_gone(verdict, trial.vendor)
        assert counted(verdict) == whole or not self.people_are_alike, (
            f"{when} it counted {counted(verdict)}, not {whole}"
        )


@dataclass(slots=True)
class StoppingLedger(MemoryLedger):
    """Shuts the work down once, at this moment, as a host does that is told to end."""

    stop_at: str = "attempting"
    stopped: bool = False

    async def found(
        self, items: Sequence[Item], identities: Sequence[Identity], unlisted: Sequence[Unlisted] = ()
    ) -> None:
        await MemoryLedger.found(self, items, identities, unlisted)
        await self._reached("found")

    async def attempting(self, ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> None:
        await MemoryLedger.attempting(self, ordinals, decided)
        await self._reached("attempting")

    async def _reached(self, moment: str) -> None:
        task = asyncio.current_task()
        if moment == self.stop_at and not self.stopped and task is not None:
            self.stopped = True
            task.cancel()  # it is raised where the processor next waits
