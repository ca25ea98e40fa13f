"""What is said of a request is never better than what was searched."""

import pytest

from contracts.outcomes import Line, Outcome
from habeas.vocabulary import NO_ACCEPTED_IDENTITY, Action, Checked, Disposition, Headline, TaskState
from services.orchestrator.domain.settlement import not_applicable, sum_up
from services.orchestrator.domain.task import ProcessorTask

UNASKED = not_applicable(NO_ACCEPTED_IDENTITY)
NOT_SERVED = not_applicable("right_not_served")


def answered(disposition: Disposition) -> Outcome:
    return Outcome.of((Line(category="contact", disposition=disposition, count=1, checked=Checked.VERIFIED),))


ERASED, NOT_FOUND, RETAINED = (
    answered(one) for one in (Disposition.ERASED, Disposition.NOT_FOUND, Disposition.RETAINED)
)


@pytest.mark.parametrize(
    ("outcomes", "headline"),
    [
        ([UNASKED], Headline.NOT_FULFILLED),
        ([UNASKED, NOT_SERVED], Headline.NOT_FULFILLED),
        ([UNASKED, NOT_FOUND], Headline.PARTLY_FULFILLED),
        ([UNASKED, ERASED], Headline.PARTLY_FULFILLED),
        ([UNASKED, ERASED, RETAINED], Headline.PARTLY_FULFILLED),
        ([NOT_SERVED], Headline.NOT_FULFILLED),
        ([NOT_SERVED, NOT_SERVED], Headline.NOT_FULFILLED),
        ([NOT_SERVED, NOT_FOUND], Headline.NOTHING_FOUND),
        ([NOT_SERVED, ERASED], Headline.FULFILLED),
    ],
)
def test_who_could_not_be_asked_was_not_searched(outcomes: list[Outcome], headline: Headline) -> None:
    tasks = [
        ProcessorTask(
            str(number), "req_1", str(number), Action.ERASE, 0, TaskState.SETTLED, outcome=one.model_dump_json()
        )
        for number, one in enumerate(outcomes)
    ]
    assert sum_up(tasks).headline is headline


def test_a_line_of_a_processor_that_could_not_be_asked_says_that_nothing_was_checked() -> None:
    (line,) = UNASKED.lines
    assert (line.disposition, line.checked) == (Disposition.NOT_APPLICABLE, Checked.NOT_CHECKABLE)
