"""Export: complete, repeatable, of nobody else, and never half of it taken for the whole."""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from habeas.engine import ExportReceipt, Park
from habeas.sdk import Action, Disposition, File, Identity, Record
from habeas.testing import faults
from habeas.testing.memory import Crash, Crashed, MemoryExports
from habeas.testing.rules.kit import Kit, by_key, counted, nothing_found, settled
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import AttentionReason, Checked


class ExportRules(Kit):
    """What `export` must keep to."""

    def test_exports_everything_and_changes_nothing(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person(), action=Action.EXPORT)
            before = await vendor.remains(trial.identities)
            told = settled(await trial.finish())
            assert {line.disposition for line in told.lines} == {Disposition.EXPORTED}, f"it told {told.lines}"
            if vendor.manifest.actions[Action.EXPORT].verify:
                assert {line.checked for line in told.lines} == {Checked.VERIFIED}, (
                    "looked at again, there was more than the copy holds: let `locate` find the same things each time"
                )
            assert {key_of(part) for part in _finished(trial)} == set(by_key(trial.ledger)), "an item was left out"
            assert told.export is not None, "there is no receipt"
            assert await vendor.remains(trial.identities) == before, "to export is to read: it changed something"
            assert not trial.ledger.effects, "to export is to read: no result of it is an effect"

        self._tell(story, Action.EXPORT)

    def test_the_copy_holds_what_the_vendor_knows(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            other, one = await vendor.person(), await vendor.person()
            mine, theirs = await vendor.known_texts(one), await vendor.known_texts(other)
            if not mine:
                raise NotArranged("let known_texts() of your VendorUnderTest name something")
            copy = await _copy(vendor, one)
            missing = sum(text not in copy for text in mine)
            assert not missing, f"the copy lacks {missing} of {len(mine)} things that the vendor knows of the person"
            assert not any(text in copy for text in set(theirs) - set(mine)), "the copy holds another person's data"

        self._tell(story, Action.EXPORT)

    def test_the_same_export_comes_out_twice(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            person = await vendor.person()
            first, second = [await _exported(vendor, person) for _ in range(2)]
            assert first == second, "the same data, exported twice, came out differently: leave out times of the export"

        self._tell(story, Action.EXPORT)

    def test_an_export_of_somebody_unknown_is_empty(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            told = nothing_found(await Trial(vendor, await vendor.nobody(), action=Action.EXPORT).finish())
            assert told.export is None, "there is a receipt of nothing"

        self._tell(story, Action.EXPORT)

    def test_an_export_that_breaks_off_is_made_anew(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            person = await vendor.person()
            calm = BreakingExports()
            await Trial(vendor, person, action=Action.EXPORT, exports=calm).finish()
            for step in self._some_of(calm.crash.steps):
                exports = BreakingExports(crash=Crash(at=step))
                trial = Trial(vendor, person, action=Action.EXPORT, exports=exports)
                with pytest.raises(Crashed):
                    await trial.finish()
                assert exports.finished is None, "an export that broke off counted as whole"
                settled(await trial.finish())
                assert plain(exports) == plain(calm), f"after a crash at step {step} the export is another one"

        self._tell(story, Action.EXPORT)

    def test_a_fault_at_any_call_never_shortens_an_export(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            person = await vendor.person()
            async with vendor.open():
                pass
            await vendor.recover()
            whole = await _exported(vendor, person)
            calls = vendor.calls
            if not calls:
                raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
            for number in self._some_of(calls):
                await vendor.suffer("half_json", faults.half_an_answer(), at=number)
                assert await _exported(vendor, person) == whole, (
                    f"an answer that broke off at call {number} of {calls} changed the export: count the bytes of a "
                    "file against what the vendor promised, and read JSON by Answer.json()"
                )
            await vendor.recover()

        self._tell(story, Action.EXPORT)

    def test_what_changed_hands_is_not_exported(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            exports = BreakingExports(crash=Crash(at=0))
            trial = Trial(vendor, await vendor.person(), action=Action.EXPORT, exports=exports)
            with pytest.raises(Crashed):
                await trial.run()
            trial.identities = await vendor.person()
            verdict = await trial.finish()
            assert isinstance(verdict, Park), f"the items were another person's and it told {verdict}"
            assert verdict.attention is AttentionReason.WRONG_PERSON, (
                f"the items were another person's and it was parked for {verdict.attention}: let `reread` say whose "
                "an item is now"
            )
            assert exports.finished is None, "the items were another person's, and a copy of them was finished"

        self._tell(story, Action.EXPORT)


@dataclass(slots=True)
class BreakingExports(MemoryExports):
    """Dies at a step of its own: each is one thing handed over."""

    crash: Crash = field(default_factory=Crash)

    async def begin(self) -> None:
        await MemoryExports.begin(self)
        self.crash.step()

    async def record(self, record: Record) -> None:
        await MemoryExports.record(self, record)
        self.crash.step()

    async def file(self, file: File, chunks: AsyncIterator[bytes]) -> None:
        async def breaking() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                yield chunk
                self.crash.step()

        await MemoryExports.file(self, file, breaking())

    async def finish(self) -> ExportReceipt:
        self.crash.step()
        return await MemoryExports.finish(self)


def key_of(part: Record | tuple[File, bytes]) -> tuple[str, str]:
    """Return the key of the item that an exported part came from."""
    item = part.item if isinstance(part, Record) else part[0].item
    return (item.category, item.ref)


def plain(exports: MemoryExports) -> list[str]:
    """Return a finished export in a form in which two of the same data are equal, whatever their order."""
    assert exports.finished is not None, "the export was never finished"
    told = []
    for part in exports.finished:
        if isinstance(part, Record):
            told.append(json.dumps([*key_of(part), dict(part.fields)], sort_keys=True, ensure_ascii=False))
        else:
            told.append(json.dumps([*key_of(part), part[0].media_type, hashlib.sha256(part[1]).hexdigest()]))
    return sorted(told)


def _finished(trial: Trial) -> list[Record | tuple[File, bytes]]:
    assert trial.exports.finished is not None, "the export was never finished"
    return trial.exports.finished


async def _exported(vendor: VendorUnderTest, person: Sequence[Identity]) -> list[str]:
    trial = Trial(vendor, person, action=Action.EXPORT)
    assert counted(await trial.finish()) > 0, "there is data of this person and none was exported"
    return plain(trial.exports)


async def _copy(vendor: VendorUnderTest, person: Sequence[Identity]) -> str:
    """Return the text of a person's copy."""
    trial = Trial(vendor, person, action=Action.EXPORT)
    settled(await trial.finish())
    texts = [
        json.dumps(dict(part.fields), ensure_ascii=False)
        if isinstance(part, Record)
        else part[1].decode(errors="replace")
        for part in _finished(trial)
    ]
    return "\n".join(texts)
