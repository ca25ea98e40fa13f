"""Sums up what came of a request: the lines of its tasks and one headline, by the same pure function as a task's."""

from collections.abc import Iterable

from contracts.outcomes import Line, Outcome
from habeas.vocabulary import Action, Checked, Disposition, TaskState
from services.orchestrator.domain.task import ProcessorTask

UNKNOWN_FIELD = "unknown_field"  # as a processor's engine says it


def not_applicable(reason: str) -> Outcome:
    """Return the outcome of a processor that has nothing to do with this request, and why."""
    return Outcome.of((_nothing(Disposition.NOT_APPLICABLE, reason),))


def given_up(reason: str) -> Outcome:
    """Return the outcome of a task that an operator took off the list: nothing is known, so nothing is claimed."""
    return Outcome.of((_nothing(Disposition.FAILED, reason),), complete=False)


def unknown_field() -> Outcome:
    """Return the outcome of a processor that knows none of the fields to correct: it is not asked."""
    return Outcome.of((_nothing(Disposition.REFUSED, UNKNOWN_FIELD),))


def with_unknown_field(outcome: Outcome) -> Outcome:
    """Return what a processor answered, which was not asked for the fields that it does not know."""
    if any(line.reason == UNKNOWN_FIELD for line in outcome.lines):
        return outcome  # its manifest has changed meanwhile, and it says so itself
    return Outcome.of((*outcome.lines, *unknown_field().lines), complete=outcome.complete)


def _nothing(disposition: Disposition, reason: str) -> Line:
    return Line(category="all", disposition=disposition, count=0, checked=Checked.NOT_CHECKABLE, reason=reason)


def sum_up(tasks: Iterable[ProcessorTask], *, complete: bool = True) -> Outcome:
    """Return the request's outcome. A failed resolve or an incomplete task leaves it at most partly fulfilled.

    `complete` is False where it is known already that a part of the search was lost.
    """
    lines: list[Line] = []
    for task in tasks:
        if task.outcome is None:
            complete = complete and task.state is TaskState.CANCELLED
            continue
        outcome = Outcome.model_validate_json(task.outcome)
        if task.action is Action.RESOLVE:
            failed = any(line.disposition in (Disposition.FAILED, Disposition.REFUSED) for line in outcome.lines)
            complete = complete and outcome.complete and not failed
            continue
        complete = complete and outcome.complete
        lines.extend(outcome.lines)
    return Outcome.of(_merge(lines), complete=complete)


def _merge(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Add up the counts of lines that say the same."""
    merged: dict[tuple[object, ...], Line] = {}
    for line in lines:
        key = (line.category, line.disposition, line.checked, line.ground, line.until, line.reason)
        known = merged.get(key)
        merged[key] = line if known is None else known.model_copy(update={"count": known.count + line.count})
    return tuple(merged.values())
