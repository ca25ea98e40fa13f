"""Cancels a request while nothing can have been changed; later it is refused, with the reason."""

from datetime import datetime

from contracts.requests import RequestCancelled
from habeas.vocabulary import RequestState, TaskState
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.domain.planning import WITH_EFFECTS
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.complete_request import close_tasks
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.workspace import Workspace


async def cancel_request(connection: Connection, *, request_id: str, actor: str, deps: Dependencies) -> None:
    """Cancel, or begin to: hosts that are resolving are told and have to answer first (`cancelling`).

    Raises `NotFound`, or `NotAllowed` once a task with effects was sent or the request has ended. Cancelling twice
    changes nothing.
    """
    work = Workspace(connection)
    await work.lock([request_id])
    request = work.requests.get(request_id)
    if request is None:
        raise NotFound
    if request.state in (RequestState.CANCELLED, RequestState.CANCELLING):
        return
    if request.state.is_terminal:
        raise NotAllowed("request_ended", f"The request is {request.state.value}; what has ended can not be cancelled.")
    await work.load_tasks()
    tasks = work.tasks_of(request_id)
    if any(task.action in WITH_EFFECTS and task.was_sent for task in tasks):
        raise NotAllowed(
            "effects_under_way", "A processor was already told to act, so this request can no longer be cancelled."
        )
    now = deps.clock.now()
    await _cancel(connection, work, request, tasks, actor, deps, now)
    await work.save()


async def _cancel(
    connection: Connection,
    work: Workspace,
    request: DataSubjectRequest,
    tasks: list[ProcessorTask],
    actor: str,
    deps: Dependencies,
    now: datetime,
) -> None:
    messages = Messages(deps)
    directory = await Directory.read(connection, deps.root)
    for task in tasks:
        if task.is_open and not task.was_sent:
            task.state = TaskState.CANCELLED
            task.settled_at = now
            task.attention = None
            work.task_closed(task)
        elif task.is_open:
            work.send(messages.cancelled(request, task, keys=directory.keys(task.processor), at=now))
    waits = any(task.is_open for task in tasks)
    kind = "request.cancelling" if waits else "request.cancelled"
    request.move(RequestState.CANCELLING if waits else RequestState.CANCELLED)
    request.advance = False
    request.needs_nothing()
    request.note(kind, event_id=messages.event_id(request.id, kind), at=now, actor=actor)
    work.touch(request)
    if not waits:
        request.completed_at = now
        work.send(messages.fact(RequestCancelled, request, at=now))
        close_tasks(messages, work, directory, request, tasks, now)
