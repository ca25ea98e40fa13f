"""Requests, their tasks, timeline and recipients as the API shows them."""

import json
from collections.abc import Mapping
from typing import Any

from contracts.http import Attention, RecipientOut, RequestOut, TaskCounts, TaskOut, TimelineEntryOut
from contracts.outcomes import Outcome
from habeas.vocabulary import TERMINAL_REQUEST_STATES, Action, Cause, Phase, RequestState, Right, TaskState

TERMINAL = [state.value for state in TERMINAL_REQUEST_STATES]
# Article 19 speaks of recipients who must be told of an erasure, a rectification or a restriction.
TOLD_BY = frozenset({Action.ERASE, Action.RECTIFY, Action.RESTRICT, Action.LIFT, Action.STOP})

Row = Mapping[str, Any]


def request_out(row: Row, reference: str | None) -> RequestOut:
    """Return a row of the queries `one` and `page`; `reference` was opened by whoever holds the keys."""
    counts = TaskCounts(total=row["total_tasks"], settled=row["settled_tasks"]) if row["total_tasks"] else None
    return RequestOut(
        id=row["id"],
        case=row["case_id"],
        right=Right(row["right"]),
        state=RequestState(row["state"]),
        received_at=row["received_at"],
        created_at=row["created_at"],
        due_on=row["due_on"],
        due_on_unpaused=row["due_on_unpaused"],
        overdue=row["overdue"],
        outcome=_outcome(row["outcome"]),
        task_counts=counts,
        attention=_attention(row["attention"]),
        livemode=row["livemode"],
        channel=row["channel"],
        reference=reference,
        metadata=json.loads(row["metadata"]),
        version=row["version"],
        completed_at=row["completed_at"],
        informed_at=row["informed_at"],
        follows=row["follows"],
        cause=None if row["cause"] is None else Cause(row["cause"]),
    )


def task_out(row: Row) -> TaskOut:
    """Return a row of the queries `task` and `tasks`."""
    return TaskOut(
        id=row["id"],
        request=row["request_id"],
        processor=row["processor"],
        processor_title=row["processor_title"],
        action=Action(row["action"]),
        round=row["round"],
        state=TaskState(row["state"]),
        phase=None if row["phase"] is None else Phase(row["phase"]),
        dispatch_no=row["dispatch_no"],
        attention=_attention(row["attention"]),
        outcome=_outcome(row["outcome"]),
        created_at=row["created_at"],
        dispatched_at=row["dispatched_at"],
        accepted_at=row["accepted_at"],
        settled_at=row["settled_at"],
    )


def entry_out(row: Row) -> TimelineEntryOut:
    """Return a row of the query `timeline`."""
    return TimelineEntryOut(
        sequence=row["seq"],
        event=row["event_id"],
        type=row["type"],
        at=row["at"],
        task=row["task_id"],
        processor=row["processor"],
        actor=row["actor"],
        detail=json.loads(row["detail"]),
        hash=row["hash"].hex(),
    )


def recipient_out(task: TaskOut) -> RecipientOut:
    """Return what the recipient at the other end of a task was told."""
    return RecipientOut(
        processor=task.processor,
        title=task.processor_title,
        action=task.action,
        told_at=task.dispatched_at,
        answered_at=task.settled_at,
        outcome=task.outcome,
        not_told_reason=None if task.dispatched_at is not None else _why_not_told(task),
    )


def _why_not_told(task: TaskOut) -> str:
    if task.attention is not None:
        return task.attention.reason
    if task.outcome is not None and task.outcome.lines:
        line = task.outcome.lines[0]
        return line.reason or line.disposition.value
    return task.state.value


def _outcome(text: str | None) -> Outcome | None:
    return None if text is None else Outcome.model_validate_json(text)


def _attention(text: str | None) -> Attention | None:
    return None if text is None else Attention.model_validate_json(text)
