"""Hands the subject's data to the place that keeps exports, item by item, and looks whether that was all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from habeas.engine.acting import reread
from habeas.engine.calls import Defect
from habeas.engine.finding import first_pass, later_pass, located_anew
from habeas.engine.lines import line, lines_of
from habeas.engine.ports import ExportReceipt, Exports, Settled, StoredItem
from habeas.engine.run import Key, Run, key_of
from habeas.engine.shapes import is_exported
from habeas.engine.telling import not_listed, nothing_found
from habeas.sdk import File, Item, Record, Result, WrongPerson
from habeas.vocabulary import Checked, Disposition

# An item that was located and is gone when its turn comes: somebody else removed it meanwhile.
GONE = "gone_before_export"


async def export(run: Run, exports: Exports | None) -> Settled:
    """Locate, re-read and export everything, then what appeared meanwhile; settle with the receipt of what was written.

    A copy is verified when a last look found nothing more. Where there was more at each of `max_passes` looks, the copy
    holds what was seen by then and is attested: nobody has seen the whole of it.

    Nothing is remembered as exported: a re-run exports all of it anew, as another attempt, for what an attempt that
    broke off had written is never named.
    """
    if exports is None:
        return Settled((line(Disposition.FAILED, Checked.NOT_CHECKABLE, reason="no_export_store"),))
    if not run.located:
        await _locate(run)
    if not run.stored:
        return Settled(nothing_found(run))
    writing = _Writing(run, exports)
    checked = await _until_whole(run, writing)
    lines = lines_of(writing.told.values(), lambda _: checked)
    return Settled((*lines, *not_listed(run)), export=await writing.finished())


async def _locate(run: Run) -> None:
    """Open the pass that is due: the first by locating, a later one that a crash cut short by looking again."""
    if run.pass_no <= 1:
        return await first_pass(run)
    await run.begin_pass(run.pass_no)
    return await later_pass(run, await _appeared(run))


async def _until_whole(run: Run, writing: "_Writing") -> Checked:
    """Export what is stored and not written yet, until a look finds nothing more; return how sure that is."""
    while True:
        await writing.write_new()
        if not run.serves.verify:
            return Checked.NOT_CHECKABLE
        more = await _appeared(run)
        if not more:
            return Checked.VERIFIED
        if run.pass_no >= run.max_passes:
            return Checked.ATTESTED
        await later_pass(run, more)


async def _appeared(run: Run) -> list[Item]:
    """Return what a fresh look finds and no pass has stored."""
    known = run.latest()
    return list({key_of(item): item for item in await located_anew(run) if key_of(item) not in known}.values())


class _Writing:
    """One attempt; `told` is what became of each thing."""

    def __init__(self, run: Run, exports: Exports) -> None:
        self._run = run
        self._exports = exports
        self._begun = False
        self.told: dict[Key, StoredItem] = {}

    async def write_new(self) -> None:
        """Export all stored items of which nothing is told yet."""
        run = self._run
        items = [item for key, item in run.latest().items() if key not in self.told]
        for start in range(0, len(items), run.serves.batch):
            batch = items[start : start + run.serves.batch]
            written = await self._batch(batch)
            for item in batch:
                self.told[key_of(item.item)] = replace(item, result=_result(item.item, written))

    async def finished(self) -> ExportReceipt | None:
        """Return the receipt where anything was written."""
        return await self._exports.finish() if self._begun else None

    async def _batch(self, batch: Sequence[StoredItem]) -> set[Key]:
        """Return the keys of the items of `batch` of which something was written: all that are still there."""
        now = await self._cleared(batch)
        written = await self._write(now) if now else set()
        missing = [item for item in batch if key_of(item.item) in now.keys() - written]
        if missing and await self._cleared(missing):
            raise Defect("items_not_exported")
        return written

    async def _cleared(self, items: Sequence[StoredItem]) -> dict[Key, Item]:
        now = await reread(self._run, items)
        if not all(self._run.subject.owns(item.matched) for item in now.values()):
            raise WrongPerson("item_changed_hands")
        return now

    async def _write(self, now: Mapping[Key, Item]) -> set[Key]:
        written: set[Key] = set()
        async for thing in self._run.caller.stream(self._run.processor.export, list(now.values())):
            if not _exported_of(thing, now):
                raise Defect("export_of_unknown_item")
            if not self._begun:
                await self._exports.begin()
                self._begun = True
            await (self._record(thing) if isinstance(thing, Record) else self._file(thing))
            written.add(key_of(thing.item))
        return written

    async def _record(self, record: Record) -> None:
        try:
            await self._exports.record(record)
        except (TypeError, ValueError):  # its text may quote what was exported
            raise Defect("record_not_exportable") from None

    async def _file(self, file: File) -> None:
        await self._exports.file(file, self._run.caller.chunks(file.chunks))


def _exported_of(thing: object, now: Mapping[Key, Item]) -> TypeGuard[Record | File]:
    return is_exported(thing) and key_of(thing.item) in now


def _result(item: Item, written: set[Key]) -> Result:
    if key_of(item) in written:
        return Result(item, Disposition.EXPORTED)
    return Result(item, Disposition.NOT_FOUND, note=GONE)
