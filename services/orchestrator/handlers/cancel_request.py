"""Cancels a request while nothing can have been changed; later it is refused, with the reason."""

from datetime import datetime

from contracts.requests import RequestCancelled
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain import cancelling
from services.orchestrator.domain.errors import NotFound
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
    await work.load_tasks()
    tasks = work.tasks_of(request_id)
    if not cancelling.begin(request, tasks):
        return
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
    for task in cancelling.call_off(request, tasks, at=now):
        work.task_closed(task)
    told = [task for task in tasks if task.is_open]
    for task in told:
        work.send(messages.cancelled(request, task, keys=directory.keys(task.processor), at=now))
    kind = "request.cancelling" if told else "request.cancelled"
    request.note(kind, event_id=messages.event_id(request.id, kind), at=now, actor=actor)
    work.touch(request)
    if not told:
        request.completed_at = now
        work.send(messages.fact(RequestCancelled, request, at=now))
        close_tasks(messages, work, directory, request, tasks, now)
