"""Whatever a processor yields or answers out of shape is its defect, named by a word; nothing of it gets out."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from habeas.engine import Again, Park
from habeas.sdk import (
    Action,
    Answered,
    CannotFulfil,
    Context,
    Disposition,
    File,
    Identity,
    Item,
    Record,
    Result,
    RetryLater,
    Unlisted,
    Wait,
)
from habeas.testing import MemoryExports
from habeas.vocabulary import AttentionReason
from tests.unit.habeas.engine.test_export import SERVED as EXPORTING
from tests.unit.habeas.engine.vendor import SUBJECT, VendorProcessor, run, task, vendor_with

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WHATEVER: Any = None
ODD: Any = ("7",)
ITEM = Item("a", "files", SUBJECT)
# What an author's editor would complain of, and nothing hinders at run time.
odd: Any = replace
told: Any = Result


def finding(*things: Any) -> VendorProcessor:
    class Finding(VendorProcessor):
        async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
            for thing in things:
                yield thing

    return Finding(vendor_with("a"))


def answering(answer: Callable[[Item], Any]) -> VendorProcessor:
    class Answering(VendorProcessor):
        def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
            answered: Answered = answer(items[0])
            return answered

    return Answering(vendor_with("a"))


@pytest.mark.parametrize(
    ("thing", "defect"),
    [
        ("a", "not_an_item"),
        (odd(ITEM, category=["files"]), "unknown_category"),
        (odd(ITEM, ref=""), "malformed_item"),
        (odd(ITEM, ref=17), "malformed_item"),
        (odd(ITEM, count=0), "malformed_item"),
        (odd(ITEM, count=1.5), "malformed_item"),
        (odd(ITEM, count=True), "malformed_item"),
        (odd(ITEM, dated="2026-01-31"), "malformed_item"),
        (odd(ITEM, dated=NOW), "malformed_item"),
        (odd(ITEM, matched=None), "malformed_item"),
        (odd(ITEM, matched=Identity(SUBJECT.type, WHATEVER)), "malformed_item"),
        (Identity(SUBJECT.type, WHATEVER), "malformed_identity"),
        (Unlisted(WHATEVER), "unknown_category"),
    ],
)
async def test_what_is_found(thing: Any, defect: str) -> None:
    assert await run(finding(thing)) == Again(defect, counts=True)


@pytest.mark.parametrize("matched", [None, "c-1", Identity(SUBJECT.type, WHATEVER)])
async def test_whose_it_is_now(matched: Any) -> None:
    class Rereading(VendorProcessor):
        async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
            yield replace(items[0], matched=matched)

    assert await run(Rereading(vendor_with("a"))) == Again("malformed_item", counts=True)


@pytest.mark.parametrize(
    ("answer", "defect"),
    [
        (lambda item: [None], "result_of_unknown_item"),
        (lambda item: [Result(WHATEVER, Disposition.ERASED)], "result_of_unknown_item"),
        (lambda item: [Result(replace(item, ref=["a"]), Disposition.ERASED)], "result_of_unknown_item"),
        (lambda item: "erased", "result_of_unknown_item"),
        (lambda item: [Result(item, WHATEVER)], "malformed_result"),
        (lambda item: [Result(item, Disposition.ERASED, count=0)], "malformed_result"),
        (lambda item: [Result(item, Disposition.RETAINED, ground=WHATEVER, until=NOW)], "malformed_result"),
        (lambda item: [Result(item, Disposition.RETAINED)], "retained_without_ground"),
        (lambda item: [told(item, Disposition.FAILED, note=ValueError())], "malformed_result"),
        (lambda item: [told(item, Disposition.ERASED, evidence={"tries": 3})], "malformed_result"),
        (lambda item: [told(item, Disposition.ERASED, evidence=[])], "malformed_result"),
        (lambda item: [Result(item, Disposition.ERASED), Result(item, Disposition.REFUSED)], "two_results_of_one_item"),
        (lambda item: Wait(WHATEVER, NOW, NOW, "works"), "malformed_wait"),
        (lambda item: Wait("", NOW, NOW, "works"), "malformed_wait"),
        (lambda item: Wait("job", WHATEVER, NOW, "works"), "malformed_wait"),
        (lambda item: Wait("job", NOW, NOW.replace(tzinfo=None), "works"), "malformed_wait"),
        (lambda item: Wait("job", NOW, NOW, WHATEVER), "malformed_wait"),
    ],
)
async def test_what_is_answered(answer: Callable[[Item], Any], defect: str) -> None:
    assert await run(answering(answer)) == Again(defect, counts=True)


async def test_the_same_result_twice_says_nothing_new() -> None:
    def twice(item: Item) -> list[Result]:
        return [Result(item, Disposition.REFUSED, note="locked")] * 2

    assert not isinstance(await run(answering(twice)), Again)


@pytest.mark.parametrize(
    "thing", [None, Record(WHATEVER, {}), File(WHATEVER, "text/plain", []), File(ITEM, WHATEVER, [])]
)
async def test_what_is_exported(thing: Any) -> None:
    class Exporting(VendorProcessor):
        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
            yield thing

    processor = Exporting(vendor_with("a"))
    verdict = await run(processor, of=task(Action.EXPORT), by=EXPORTING, exports=MemoryExports())
    assert verdict == Again("export_of_unknown_item", counts=True)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RetryLater(ODD), Again("retry_later")),
        (RetryLater("busy", after=-3.0), Again("busy", after=0.0)),
        (RetryLater("busy", after=1e15), Again("busy", after=86_400.0)),
        (RetryLater("busy", after=float("nan")), Again("busy")),
        (RetryLater("busy", after=ODD), Again("busy")),
    ],
)
async def test_what_is_raised(error: Exception, verdict: Again) -> None:
    def raising(item: Item) -> Any:
        raise error

    assert await run(answering(raising)) == verdict


async def test_a_refusal_without_a_word_has_one() -> None:
    def raising(item: Item) -> Any:
        raise CannotFulfil(ODD)

    verdict = await run(answering(raising))
    assert not isinstance(verdict, Again | Park)
    assert [line.reason for line in verdict.lines] == ["cannot_fulfil"]


async def test_a_defect_of_shape_parks_like_any_other() -> None:
    assert await run(finding("a"), attempt=5) == Park(AttentionReason.KEEPS_FAILING, "not_an_item")
