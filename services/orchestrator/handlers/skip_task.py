"""An operator's skip: the request goes on without this processor's answer, and its outcome says so."""

from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed
from services.orchestrator.domain.settlement import given_up
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.retry_task import hold_task


async def skip_task(connection: Connection, *, task_id: str, reason: str, actor: str, deps: Dependencies) -> None:
    """Settle an open task as not done. Raises `NotFound`, or `NotAllowed` for one that is settled.

    `reason` is the operator's sentence; it is kept on the timeline.
    """
    work = await hold_task(connection, task_id)
    task = work.tasks[task_id]
    request = work.requests[task.request_id]
    now = deps.clock.now()
    if not task.settle(given_up("skipped_by_operator").model_dump_json(), at=now):
        raise NotAllowed("task_settled", "The task is settled already.")
    work.task_closed(task)
    request.note(
        "task.skipped",
        event_id=Messages(deps).event_id(task.id, "task.skipped"),
        at=now,
        task_id=task.id,
        processor=task.processor,
        actor=actor,
        detail={"reason": reason},
    )
    request.wake_planner()
    await work.save()
