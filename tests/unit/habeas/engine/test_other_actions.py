"""Export, rectify, restrict, lift and stop follow the same path."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from habeas.engine import Again, OutcomeLine, Settled
from habeas.sdk import Action, Answered, Context, Disposition, File, Item, Items, Record, Result
from habeas.testing import Crash, Crashed, MemoryExports, MemoryLedger
from habeas.vocabulary import Checked
from tests.unit.habeas.engine.vendor import Vendor, VendorProcessor, manifest, run, task, vendor_with

SERVED = manifest(
    actions={name: {"batch": 2} for name in ("export", "restrict", "lift", "stop")},
)


class Everything(VendorProcessor):
    """Serves every action by noting it."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.done: list[tuple[str, object]] = []

    def note(self, what: str, items: Sequence[Item], disposition: Disposition, more: object = None) -> list[Result]:
        self.done += [(what, more) for _ in items]
        return [Result(item, disposition) for item in items]

    def restrict(self, ctx: Context, items: Sequence[Item]) -> Answered:
        return self.note("restrict", items, Disposition.RESTRICTED)

    def lift(self, ctx: Context, items: Sequence[Item]) -> Answered:
        return self.note("lift", items, Disposition.LIFTED)

    async def stop(self, ctx: Context, purposes: Sequence[str]) -> list[Result]:
        items = [self.item(ref) for ref in self.vendor.things]
        return self.note("stop", items, Disposition.STOPPED, tuple(purposes))

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"name": "x"})
            yield File(item, "text/plain", chunks())


async def chunks() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


async def acted(action: Action, **changes: Any) -> tuple[Settled, list[tuple[str, object]]]:
    processor = Everything(vendor_with("a", "b", "c"))
    verdict = await run(processor, of=task(action, **changes), by=SERVED)
    assert isinstance(verdict, Settled)
    return verdict, processor.done


async def test_restricts_and_lifts() -> None:
    restricted, _ = await acted(Action.RESTRICT)
    lifted, _ = await acted(Action.LIFT)
    assert [line.disposition for line in (*restricted.lines, *lifted.lines)] == [
        Disposition.RESTRICTED,
        Disposition.LIFTED,
    ]


async def test_stops_all_of_the_subject_in_one_call() -> None:
    verdict, done = await acted(Action.STOP, purposes=("marketing",))
    assert verdict.lines == (OutcomeLine("files", Disposition.STOPPED, 3, Checked.ATTESTED),)
    assert done == [("stop", ("marketing",))] * 3


async def test_a_processors_own_look_makes_it_verified() -> None:
    class Looking(Everything):
        def verify(self, ctx: Context, items: Sequence[Item]) -> Items:
            return []

    verdict = await run(Looking(vendor_with("a")), of=task(Action.RESTRICT), by=SERVED)
    assert verdict == Settled((OutcomeLine("files", Disposition.RESTRICTED, 1, Checked.VERIFIED),), effects=1)


async def test_exports_everything_and_has_no_effects() -> None:
    exports, ledger = MemoryExports(), MemoryLedger()
    processor = Everything(vendor_with("a", "b", "c"))
    verdict = await run(processor, ledger, of=task(Action.EXPORT), by=SERVED, exports=exports)
    assert isinstance(verdict, Settled)
    assert verdict.lines == (OutcomeLine("files", Disposition.EXPORTED, 3, Checked.VERIFIED),)
    assert verdict.effects == 0
    assert verdict.export is not None
    assert (verdict.export.attempt, verdict.export.records, verdict.export.files) == (1, 3, 3)
    assert not any(known.result for known in ledger.items.values()), "a re-run must export anew"
    assert exports.finished is not None
    assert len(exports.finished) == 6
    assert [part[1] for part in exports.finished if isinstance(part, tuple)] == [b"onetwo"] * 3


async def test_an_export_that_a_crash_cut_short_is_made_anew() -> None:
    calm = MemoryLedger()
    await run(Everything(vendor_with("a")), calm, of=task(Action.EXPORT), by=SERVED, exports=MemoryExports())
    for step in range(calm.crash.steps):
        ledger, exports = MemoryLedger(crash=Crash(at=step)), MemoryExports()
        for _ in range(3):
            try:
                verdict = await run(
                    Everything(vendor_with("a")), ledger, of=task(Action.EXPORT), by=SERVED, exports=exports
                )
            except Crashed:
                continue
            assert isinstance(verdict, Settled)
            assert exports.finished is not None
            assert len(exports.finished) == 2
            break


async def test_an_item_of_which_nothing_is_exported_is_a_defect() -> None:
    class Forgetful(Everything):
        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
            yield Record(items[0], {})

    verdict = await run(Forgetful(vendor_with("a", "b")), of=task(Action.EXPORT), by=SERVED, exports=MemoryExports())
    assert verdict == Again("items_not_exported", counts=True)


async def test_without_a_place_for_exports_it_is_told_as_failed() -> None:
    verdict = await run(Everything(vendor_with("a")), of=task(Action.EXPORT), by=SERVED)
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].reason == "no_export_store"
