"""Hands the subject's data to the place that keeps exports, item by item, and counts what was handed over."""

from collections.abc import Mapping

from habeas.engine.acting import reread
from habeas.engine.calls import Defect
from habeas.engine.finding import first_pass
from habeas.engine.lines import line, lines_of
from habeas.engine.ports import Exports, Settled
from habeas.engine.run import Key, Run, key_of
from habeas.sdk import File, Item, Record, Result, WrongPerson
from habeas.vocabulary import Checked, Disposition


async def export(run: Run, exports: Exports | None) -> Settled:
    """Locate, re-read and export everything. A re-run exports anew: what a crash left half-written is never named."""
    if exports is None:
        return Settled((line(Disposition.FAILED, Checked.NOT_CHECKABLE, reason="no_export_store"),))
    if not run.located:
        await first_pass(run)
    if run.pending():
        await exports.begin()
        results = await _written(run, exports)
        await exports.finish()
        await run.keep(results)
    if not run.stored:
        return Settled((line(Disposition.NOT_FOUND, Checked.VERIFIED),))
    return Settled(lines_of(run.latest().values(), lambda _: Checked.VERIFIED), effects=0)


async def _written(run: Run, exports: Exports) -> dict[int, Result]:
    results: dict[int, Result] = {}
    pending = run.pending()
    for start in range(0, len(pending), run.serves.batch):
        batch = pending[start : start + run.serves.batch]
        now = await reread(run, batch)
        if not all(run.subject.owns(item.matched) for item in now.values()):
            raise WrongPerson("item_changed_hands")
        await _write(run, exports, now)
        for item in batch:
            there = key_of(item.item) in now
            results[item.ordinal] = Result(item.item, Disposition.EXPORTED if there else Disposition.NOT_FOUND)
    return results


async def _write(run: Run, exports: Exports, now: dict[Key, Item]) -> None:
    """Write what the processor exports of the items that are still there; each must yield something."""
    if not now:
        return
    written: set[Key] = set()
    async for thing in run.caller.stream(run.processor.export, list(now.values())):
        if not _exported_of(thing, now):
            raise Defect("export_of_unknown_item")
        await (exports.record(thing) if isinstance(thing, Record) else exports.file(thing))
        written.add(key_of(thing.item))
    if written != set(now):
        raise Defect("items_not_exported")


def _exported_of(thing: object, now: Mapping[Key, Item]) -> bool:
    return isinstance(thing, Record | File) and key_of(thing.item) in now
