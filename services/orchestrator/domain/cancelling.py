"""Calls a request off: allowed while nothing can have been changed, over once every host that was told has answered."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from habeas.vocabulary import RequestState, TaskState
from services.orchestrator.domain.errors import NotAllowed
from services.orchestrator.domain.planning import WITH_EFFECTS
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask


def begin(request: DataSubjectRequest, tasks: Iterable[ProcessorTask]) -> bool:
    """Whether a cancel has anything to do: not the second time.

    Raises `NotAllowed` once a task with effects was sent, or the request has ended otherwise.
    """
    if request.state in (RequestState.CANCELLED, RequestState.CANCELLING):
        return False
    if request.state.is_terminal:
        raise NotAllowed("request_ended", f"The request is {request.state.value}; what has ended cannot be cancelled.")
    if any(task.action in WITH_EFFECTS and task.was_sent for task in tasks):
        raise NotAllowed(
            "effects_under_way", "A processor was already told to act, so this request can no longer be cancelled."
        )
    return True


def call_off(request: DataSubjectRequest, tasks: Sequence[ProcessorTask], *, at: datetime) -> list[ProcessorTask]:
    """Close the tasks that were never sent and return them; hosts of those still open have to be told, and to answer.

    The request becomes `cancelled`, or `cancelling` while it waits for hosts.
    """
    closed = [task for task in tasks if task.is_open and not task.was_sent]
    for task in closed:
        task.state = TaskState.CANCELLED
        task.settled_at = at
        task.attention = None
    waits = any(task.is_open for task in tasks)
    request.move(RequestState.CANCELLING if waits else RequestState.CANCELLED)
    request.advance = False
    request.needs_nothing()
    return closed


def is_over(tasks: Iterable[ProcessorTask]) -> bool:
    """Whether every host that was told has answered."""
    return not any(task.is_open and task.was_sent for task in tasks)


def had_effects(task: ProcessorTask) -> bool:
    """Whether a cancelled task had already changed something, by its own account."""
    if task.action not in WITH_EFFECTS or task.outcome is None:
        return False
    return any(line["count"] for line in json.loads(task.outcome)["lines"])
