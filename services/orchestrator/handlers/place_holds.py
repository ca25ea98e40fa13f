"""Remembers what processors keep although it was asked to be erased, as their tasks settle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.outcomes import Outcome
from habeas.vocabulary import Action
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.holds import Hold, holds_of
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.messages import Messages

SQL = Queries.load("services.orchestrator.store", "holds.sql")


@dataclass(frozen=True, slots=True)
class Placed:
    """A hold and the task that placed it."""

    task: ProcessorTask
    hold: Hold


def place(
    deps: Dependencies, request: DataSubjectRequest, task: ProcessorTask, outcome: Outcome, now: datetime
) -> list[Placed]:
    """Note on the timeline what the outcome of an erasure keeps, and return it; whoever asks saves it."""
    if task.action is not Action.ERASE:
        return []
    placed = [Placed(task, hold) for hold in holds_of(outcome, zone=deps.settings.controller_zone, now=now)]
    messages = Messages(deps)
    for one in placed:
        hold = one.hold
        detail = {
            "category": hold.category,
            "count": hold.count,
            "ground": hold.ground,
            "until": None if hold.until is None else hold.until.isoformat(),
        }
        request.note(
            "hold.placed",
            event_id=messages.event_id(task.id, "hold.placed", hold.ordinal),
            at=now,
            task_id=task.id,
            processor=task.processor,
            detail={name: value for name, value in detail.items() if value is not None},
        )
    return placed


async def save(connection: Connection, placed: Sequence[Placed], now: datetime) -> None:
    """Write holds."""
    if not placed:
        return
    await connection.execute(
        SQL["place"],
        [one.task.id for one in placed],
        [one.hold.ordinal for one in placed],
        [one.task.request_id for one in placed],
        [one.task.processor for one in placed],
        [one.hold.category for one in placed],
        [one.hold.ground for one in placed],
        [one.hold.until for one in placed],
        [one.hold.count for one in placed],
        [one.hold.due_at for one in placed],
        [now] * len(placed),
    )
