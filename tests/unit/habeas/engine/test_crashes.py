"""Dies at every step of engine, ledger and vendor, in every combination that a search can find."""

from hypothesis import given, settings
from hypothesis import strategies as st

from habeas.engine import Park, Settled
from habeas.sdk import Disposition
from habeas.testing import Crash, Crashed, MemoryLedger, Time
from habeas.vocabulary import DONE, AttentionReason
from tests.unit.habeas.engine.vendor import STRANGER, SUBJECT, Vendor, VendorProcessor, run

REFS = ("a", "b", "c", "d", "e")


async def _until_done(vendor: Vendor, ledger: MemoryLedger, deaths: list[int]) -> Settled | Park:
    """Run, die at the given steps (counted over ledger and vendor alike), run again, to the end."""
    remaining = list(deaths)
    for _ in range(len(deaths) + 20):
        crash = Crash(at=remaining.pop(0) if remaining else None)
        ledger.crash = vendor.crash = crash
        try:
            verdict = await run(VendorProcessor(vendor), ledger, clock=Time())
        except Crashed:
            continue
        assert isinstance(verdict, Settled | Park), verdict
        return verdict
    message = "the task never ended"
    raise AssertionError(message)


@settings(max_examples=300, deadline=None)
@given(
    mine=st.integers(0, len(REFS)),
    deaths=st.lists(st.integers(0, 40), max_size=6),
    lies=st.integers(0, 2),
)
async def test_every_run_ends_with_every_item_erased_once_and_told_truly(
    mine: int, deaths: list[int], lies: int
) -> None:
    vendor = Vendor(dict.fromkeys(REFS[:mine], (SUBJECT, "files", None)), lies=lies)
    vendor.things["theirs"] = (STRANGER, "files", None)
    ledger = MemoryLedger()
    verdict = await _until_done(vendor, ledger, deaths)

    assert isinstance(verdict, Settled)
    assert list(vendor.things) == ["theirs"], "an item was lost, or a stranger's was touched"
    assert sorted(vendor.effects) == sorted(REFS[:mine]), "one effect for each item"
    told = {line.disposition: line.count for line in verdict.lines}
    assert told == ({Disposition.ERASED: mine} if mine else {Disposition.NOT_FOUND: 0})
    assert verdict.effects >= mine
    assert {known.result.disposition for known in ledger.items.values() if known.result} <= DONE


@settings(max_examples=100, deadline=None)
@given(deaths=st.lists(st.integers(0, 60), max_size=8))
async def test_a_vendor_that_lies_for_ever_never_passes(deaths: list[int]) -> None:
    vendor = Vendor({"a": (SUBJECT, "files", None)}, lies=1_000)
    ledger = MemoryLedger()
    verdict = await _until_done(vendor, ledger, deaths)
    assert verdict == Park(AttentionReason.RESIDUE_REMAINS, "residue_remains")
    assert ledger.pass_no == 3


@settings(max_examples=100, deadline=None)
@given(deaths=st.lists(st.integers(0, 30), min_size=1, max_size=4), cancel_at=st.integers(0, 30))
async def test_a_cancel_at_any_moment_either_wins_whole_or_comes_too_late(deaths: list[int], cancel_at: int) -> None:
    vendor = Vendor(dict.fromkeys(REFS, (SUBJECT, "files", None)))
    ledger = MemoryLedger()
    ledger.cancel = lambda own: own.crash.steps >= cancel_at
    verdict = await _until_done(vendor, ledger, deaths)
    assert isinstance(verdict, Settled)
    if verdict.cancelled:
        assert not vendor.effects
        assert len(vendor.things) == len(REFS)
    else:
        assert not vendor.things
        assert sum(line.count for line in verdict.lines) == len(REFS)
