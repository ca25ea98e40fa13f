"""An operator's retry: a task that is not settled, or a notice that did not reach the person, is sent again."""

from collections.abc import Sequence

from habeas.vocabulary import RequestState, TaskState
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.complete_request import notice_silence
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.dispatch_tasks import dispatch
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.notices_again import SQL as NOTICES
from services.orchestrator.handlers.notices_again import send_again, show_trouble, troubles
from services.orchestrator.handlers.workspace import SQL, Workspace


async def retry_task(connection: Connection, *, task_id: str, actor: str, deps: Dependencies) -> None:
    """Send one task again.

    Raises `NotFound`, or `NotAllowed` for one that is settled, was never sent, or is being called off.
    """
    work = await hold_task(connection, task_id)
    task = work.tasks[task_id]
    if not task.is_open:
        raise NotAllowed("task_settled", "The task is settled; what is settled is not done again.")
    _check(work.requests[task.request_id])
    if not task.was_sent:
        raise NotAllowed("task_not_sent", "The task was not sent yet, so there is nothing to repeat.")
    await _again(work, [task], actor, deps)
    await work.save()


async def retry_request(connection: Connection, *, request_id: str, actor: str, deps: Dependencies) -> None:
    """Send every task of a request again that needs attention, and every notice that came back or has no answer.

    Raises `NotFound`, or `NotAllowed` when none does or the request is being called off.
    """
    work = Workspace(connection)
    await work.lock([request_id])
    if request_id not in work.requests:
        raise NotFound
    _check(work.requests[request_id])
    await work.load_tasks()
    stuck = [task for task in work.tasks_of(request_id) if task.is_open and task.was_sent and task.attention]
    told = await _tell_again(work, request_id, actor, deps)
    if not stuck and not told:
        raise NotAllowed("nothing_to_retry", "No task of this request needs attention, and no notice of it came back.")
    await _again(work, stuck, actor, deps)
    await work.save()


async def hold_task(connection: Connection, task_id: str) -> Workspace:
    """Lock a task's request and load the task; raise `NotFound`."""
    rows = await connection.fetch(SQL["requests_of_tasks"], [task_id])
    if not rows:
        raise NotFound
    work = Workspace(connection)
    await work.lock([rows[0]["request_id"]])
    await work.load_tasks([task_id])
    return work


def _check(request: DataSubjectRequest) -> None:
    if request.state is RequestState.CANCELLING:
        detail = "The request is being called off; hosts are told that again by themselves until they have answered."
        raise NotAllowed("request_cancelling", detail)


async def _tell_again(work: Workspace, request_id: str, actor: str, deps: Dependencies) -> bool:
    """Send the request's notices again that did not reach the person; return whether there were any."""
    now, request = deps.clock.now(), work.requests[request_id]
    rows = await work.connection.fetch(NOTICES["retriable"], request_id)
    went = await send_again(deps, work, rows, now)
    again = [row for row in rows if row["id"] in went]
    if not again:
        return False
    numbers = [row["dispatch_no"] + 1 for row in again]
    await work.connection.execute(NOTICES["retried"], [row["id"] for row in again], numbers, notice_silence(deps, now))
    for row, number in zip(again, numbers, strict=True):
        event = Messages(deps).event_id(row["id"], "notice.retried", number)
        request.note("notice.retried", event_id=event, at=now, actor=actor, detail={"kind": row["kind"]})
    show_trouble(request, (await troubles(work.connection, [request_id])).get(request_id), now)
    work.touch(request)
    return True


async def _again(work: Workspace, tasks: Sequence[ProcessorTask], actor: str, deps: Dependencies) -> None:
    messages = Messages(deps)
    now = deps.clock.now()
    await dispatch(deps, work, [task for task in tasks if task.state is not TaskState.WAITING])
    for task in tasks:
        request = work.requests[task.request_id]
        task.attention = None
        task.silences = 0
        request.note(
            "task.retried",
            event_id=messages.event_id(task.id, "task.retried", task.dispatch_no),
            at=now,
            task_id=task.id,
            processor=task.processor,
            actor=actor,
        )
        request.wake_planner()
        work.touch_task(task)
        work.touch(request)
