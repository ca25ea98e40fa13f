"""Export: nothing counts before all of it is there, and what breaks off leaves no trace in the outcome."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from habeas.engine import Again, LeaseLost, OutcomeLine, Park, Settled, Verdict
from habeas.sdk import Action, Context, Disposition, File, Item, Record, RetryLater
from habeas.testing import Crash, Crashed, MemoryExports, MemoryLedger
from habeas.vocabulary import AttentionReason, Checked
from tests.unit.habeas.engine.vendor import STRANGER, VendorProcessor, manifest, run, task, vendor_with

SERVED = manifest(actions={"export": {"batch": 2}})


class Exporter(VendorProcessor):
    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"name": item.ref})
            yield File(item, "text/plain", self.chunks(item))

    async def chunks(self, item: Item) -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"


async def exported(
    processor: VendorProcessor, exports: MemoryExports, ledger: MemoryLedger | None = None, **more: Any
) -> Verdict:
    return await run(processor, ledger, of=task(Action.EXPORT), by=SERVED, exports=exports, **more)


async def test_each_attempt_is_another_one_and_exports_all_anew() -> None:
    exports, ledger, processor = MemoryExports(), MemoryLedger(), Exporter(vendor_with("a", "b", "c"))
    first = await exported(processor, exports, ledger)
    second = await exported(processor, exports, ledger)
    assert isinstance(first, Settled)
    assert isinstance(second, Settled)
    assert first.export is not None
    assert second.export is not None
    assert (first.export.attempt, second.export.attempt) == (1, 2)
    assert first.export.sha256 == second.export.sha256
    assert (second.export.records, second.export.files) == (3, 3)


async def test_what_is_gone_when_its_turn_comes_is_told_and_not_exported() -> None:
    class Slipping(Exporter):
        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
            async for thing in Exporter.export(self, ctx, items):
                yield thing
            self.vendor.things.pop("c", None)  # it goes while the first batch is under way

    exports = MemoryExports()
    verdict = await exported(Slipping(vendor_with("a", "b", "c")), exports)
    assert isinstance(verdict, Settled)
    assert verdict.lines == (
        OutcomeLine("files", Disposition.EXPORTED, 2, Checked.VERIFIED),
        OutcomeLine("files", Disposition.NOT_FOUND, 1, Checked.VERIFIED, reason="gone_before_export"),
    )


async def test_what_goes_between_re_reading_and_exporting_is_no_defect() -> None:
    class Vanishing(Exporter):
        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
            self.vendor.things.pop("b", None)
            async for thing in Exporter.export(self, ctx, [item for item in items if item.ref != "b"]):
                yield thing

    verdict = await exported(Vanishing(vendor_with("a", "b")), MemoryExports())
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.count) for line in verdict.lines] == [
        (Disposition.EXPORTED, 1),
        (Disposition.NOT_FOUND, 1),
    ]


async def test_where_all_is_gone_there_is_no_receipt() -> None:
    exports, ledger, processor = MemoryExports(), MemoryLedger(), Exporter(vendor_with("a"))
    await exported(processor, exports, ledger)
    processor.vendor.things.clear()
    verdict = await exported(processor, exports, ledger)
    assert isinstance(verdict, Settled)
    assert verdict.export is None
    assert exports.attempt == 1, "an export of nothing is not begun"


async def test_an_item_that_changed_hands_stops_the_export_before_it_is_whole() -> None:
    exports, ledger, vendor = MemoryExports(), MemoryLedger(), vendor_with("a", "b", "c")
    await exported(Exporter(vendor), MemoryExports(), ledger)
    vendor.things["c"] = (STRANGER, "files", None)
    assert await exported(Exporter(vendor), exports, ledger) == Park(AttentionReason.WRONG_PERSON, "item_changed_hands")
    assert exports.finished is None


class Bad(Exception):
    """Quotes jane@example.com."""


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RetryLater("http_503", after=7.0), Again("http_503", after=7.0)),
        (Bad("jane@example.com"), Again("Bad", counts=True)),
        (TimeoutError(), Again("timeout")),
    ],
)
async def test_a_file_that_breaks_off_is_no_export(error: Exception, verdict: Verdict) -> None:
    class Breaking(Exporter):
        async def chunks(self, item: Item) -> AsyncIterator[bytes]:
            yield b"half"
            raise error

    exports = MemoryExports()
    assert await exported(Breaking(vendor_with("a")), exports) == verdict
    assert exports.finished is None


async def test_a_file_that_never_ends_is_cut_off_with_the_attempt() -> None:
    class Endless(Exporter):
        async def chunks(self, item: Item) -> AsyncIterator[bytes]:
            yield b"half"
            await asyncio.get_running_loop().create_future()

    exports = MemoryExports()
    brief = SERVED.model_copy(update={"timeouts": SERVED.timeouts.model_copy(update={"attempt": 1.05})})
    verdict = await run(Endless(vendor_with("a")), of=task(Action.EXPORT), by=brief, exports=exports)
    assert verdict == Again("attempt_timeout", counts=True)
    assert exports.finished is None


async def test_chunks_that_are_no_bytes_are_a_defect() -> None:
    class Texts(Exporter):
        async def chunks(self, item: Item) -> Any:
            yield "text"

    assert await exported(Texts(vendor_with("a")), MemoryExports()) == Again("chunks_not_bytes", counts=True)


@pytest.mark.parametrize("value", [float("nan"), object(), b"bytes"])
async def test_a_record_that_is_no_json_is_a_defect(value: object) -> None:
    class Odd(Exporter):
        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
            yield Record(items[0], {"value": value})

    assert await exported(Odd(vendor_with("a")), MemoryExports()) == Again("record_not_exportable", counts=True)


async def test_a_plain_export_is_advanced_file_by_file() -> None:
    class Plain(Exporter):
        """Opens each file in turn, as a plain generator with a `with` in it would."""

        open_now: str | None = None

        def export(self, ctx: Context, items: Sequence[Item]) -> Any:
            for item in items:
                self.open_now = item.ref
                yield File(item, "text/plain", self.plain_chunks(item))

        def plain_chunks(self, item: Item) -> Iterator[bytes]:
            for part in (b"one", b"two"):
                assert self.open_now == item.ref
                yield part

    exports = MemoryExports()
    verdict = await exported(Plain(vendor_with("a", "b", "c")), exports)
    assert isinstance(verdict, Settled)
    assert exports.finished is not None
    assert [part[1] for part in exports.finished if isinstance(part, tuple)] == [b"onetwo"] * 3


class Lost(MemoryExports):
    """Another worker took the task over while this one was writing."""

    async def record(self, record: Record) -> None:
        raise LeaseLost

    async def file(self, file: File, chunks: AsyncIterator[bytes]) -> None:
        async for _ in chunks:
            raise LeaseLost


@pytest.mark.parametrize("files", [False, True])
async def test_a_lost_lease_passes_through(files: bool) -> None:
    class Filing(Exporter):
        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
            for item in items:
                yield File(item, "text/plain", self.chunks(item)) if files else Record(item, {})

    with pytest.raises(LeaseLost):
        await exported(Filing(vendor_with("a")), Lost())


async def test_a_store_that_is_out_of_reach_is_tried_again() -> None:
    class Down(MemoryExports):
        async def begin(self) -> None:
            raise RetryLater("export_store_unreachable")

    assert await exported(Exporter(vendor_with("a")), Down()) == Again("export_store_unreachable")


async def test_a_crash_at_any_step_leaves_an_export_or_none() -> None:
    calm = MemoryLedger()
    await exported(Exporter(vendor_with("a", "b", "c")), MemoryExports(), calm)
    for step in range(calm.crash.steps):
        ledger, exports = MemoryLedger(crash=Crash(at=step)), MemoryExports()
        with pytest.raises(Crashed):
            await exported(Exporter(vendor_with("a", "b", "c")), exports, ledger)
        verdict = await exported(Exporter(vendor_with("a", "b", "c")), exports, ledger)
        assert isinstance(verdict, Settled)
        assert exports.finished is not None
        assert len(exports.finished) == 6
