"""Sends tasks: in turn, sealed to the processor, the row and the message in one transaction."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from contracts.seal import SealedSubject
from habeas.vocabulary import Action, RequestState
from services.chassis.faultpoints import faultpoint
from services.chassis.log import describe, get_logger
from services.chassis.postgres.pool import TRANSIENT
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory, Enrolled
from services.orchestrator.handlers.find_culprits import without_culprits
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.subject_turns import LostRace, note_waiting, take_turns
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import SQL, Workspace

log = get_logger(__name__)
TURNS = Queries.load("services.orchestrator.store", "turns.sql")


class Dispatcher:
    """A loop's step: one batch of ready tasks."""

    def __init__(self, deps: Dependencies) -> None:
        """Dispatch with `deps`."""
        self._deps = deps

    async def step(self) -> int:
        """Send one batch; return how many tasks were sent. A request whose tasks can not be sent stops no other."""
        async with self._deps.database.connection() as connection:
            rows = await connection.fetch(SQL["ready_tasks"], self._deps.settings.batch)
        if not rows:
            return 0
        tasks = [row["id"] for row in rows]
        send = partial(self._send, tasks)
        requests = sorted({row["request_id"] for row in rows})
        try:
            return await send(requests)
        except TRANSIENT:
            raise
        except Exception:  # noqa: BLE001  # it is found out with whom, and logged there
            return await without_culprits(requests, send, self._leave)

    async def _send(self, tasks: Sequence[str], requests: Sequence[str]) -> int:
        """Send those of `tasks` that belong to `requests`."""
        async with self._deps.database.transaction() as connection:
            work = Workspace(connection)
            await work.lock(requests, wait=False)
            await work.load_tasks(tasks)
            sent = await dispatch(self._deps, work, work.ready_tasks())
            await work.save()
            faultpoint("dispatcher.before_commit")
        faultpoint("dispatcher.committed")
        self._deps.wakes.relay.set()
        return sent

    async def _leave(self, request: str, error: Exception) -> None:
        """Leave a request to the next step: whoever lost a race can go then."""
        if not isinstance(error, LostRace):
            log.error("request.cannot_be_sent", request_id=request, error=describe(error))

    async def unblock(self) -> int:
        """Let tasks try again whose turn may have come: the step of a slow loop of its own."""
        async with self._deps.database.connection() as connection:
            freed = await connection.fetch(TURNS["unblock"])
        if freed:
            self._deps.wakes.dispatcher.set()
        return 0


async def dispatch(
    deps: Dependencies,
    work: Workspace,
    tasks: Sequence[ProcessorTask],
    directory: Directory | None = None,
    vault: Vault | None = None,
) -> int:
    """Send `tasks` (again) within the caller's transaction, except those whose turn it is not; return how many.

    The caller holds their requests, loaded them into `work` and saves it; `directory` and `vault` are read unless it
    has them already. A request whose secrets can not be opened is left out, and so is a processor of the other mode.
    Of one that is being called off, the hosts are told that again.
    """
    if not tasks and not (vault and vault.known_better):
        return 0
    now = deps.clock.now()
    messages = Messages(deps)
    if directory is None:
        directory = await Directory.read(work.connection, deps.root)
    if vault is None:
        vault = await Vault.open(
            work.connection, deps.at_rest, sorted({task.request_id for task in tasks}), leave_out=True
        )
    tasks = _of_their_mode(work, directory, _readable(work, vault, tasks))
    behind = await take_turns(deps, work, vault, tasks)
    await note_waiting(messages, work, tasks, behind, now)
    for task in tasks:
        if work.requests[task.request_id].state is RequestState.CANCELLING:
            _call_off_again(deps, messages, work, directory, task, now)
        elif task.id not in behind:
            _send(deps, messages, work, directory, vault, task, now)
    return len(tasks) - len(behind)


def _readable(work: Workspace, vault: Vault, tasks: Sequence[ProcessorTask]) -> list[ProcessorTask]:
    """Return the tasks whose subject can be read; the planner shows of the others that they need a person."""
    for name in {task.request_id for task in tasks} - set(vault):
        if work.requests[name].attention is None:
            work.requests[name].wake_planner()
            work.touch(work.requests[name])
    return [task for task in tasks if task.request_id in vault]


def _of_their_mode(work: Workspace, directory: Directory, tasks: Sequence[ProcessorTask]) -> list[ProcessorTask]:
    """Return the tasks at processors of their request's mode; the planner gives up the others.

    None is planned there. This is the last door: were one planned all the same, no rehearsal would touch live data.
    """
    kept = []
    for task in tasks:
        request = work.requests[task.request_id]
        if directory[task.processor].livemode is request.livemode:
            kept.append(task)
        else:
            request.wake_planner()
            work.touch(request)
    return kept


def _send(
    deps: Dependencies,
    messages: Messages,
    work: Workspace,
    directory: Directory,
    vault: Vault,
    task: ProcessorTask,
    now: datetime,
) -> None:
    request = work.requests[task.request_id]
    processor = directory[task.processor]
    waited_for_a_person = task.waits_for_a_person
    task.dispatch(now, now + timedelta(seconds=deps.settings.silence_attention))
    subject = _subject(vault, processor, task)
    rules = deps.retention.concerning(processor.kind, processor.categories) if task.action is Action.ERASE else ()
    keys = directory.keys(task.processor)
    work.send(messages.dispatched(request, task, keys=keys, subject=subject, at=now, retention=rules))
    work.touch_task(task)
    if waited_for_a_person:
        request.wake_planner()
    request.note(
        "task.dispatched",
        event_id=messages.event_id(task.id, "task.dispatched", task.dispatch_no),
        at=now,
        task_id=task.id,
        processor=task.processor,
        detail={"action": task.action.value, "dispatch_no": task.dispatch_no},
    )
    work.touch(request)


def _call_off_again(
    deps: Dependencies,
    messages: Messages,
    work: Workspace,
    directory: Directory,
    task: ProcessorTask,
    now: datetime,
) -> None:
    """Tell a host once more that its task is called off, under a number that has it answer again."""
    request = work.requests[task.request_id]
    task.call_off_again(now + timedelta(seconds=deps.settings.silence_attention))
    work.send(messages.cancelled(request, task, keys=directory.keys(task.processor), at=now))
    work.touch_task(task)
    request.note(
        "task.called_off",
        event_id=messages.event_id(task.id, "task.called_off", task.dispatch_no),
        at=now,
        task_id=task.id,
        processor=task.processor,
        detail={"dispatch_no": task.dispatch_no},
    )
    work.touch(request)


def _subject(vault: Vault, processor: Enrolled, task: ProcessorTask) -> SealedSubject:
    """Return what a task's processor is told of the subject: what it accepts, and what its action needs.

    A value to correct is told only to processors that know its field; what was left out the first time stays out.
    """
    known, manifest = vault[task.request_id], processor.manifest
    if task.action is Action.RECTIFY and task.dispatch_no == 1:
        fields = manifest.fields if manifest else ()
        task.unknown_fields = tuple(one for one in known.fields if one not in fields)
    corrects = set(known.fields) - set(task.unknown_fields) if task.action is Action.RECTIFY else ()
    key = vault.export_key(task.request_id, task.id) if task.action is Action.EXPORT else None
    return SealedSubject(
        task=task.id,
        identities=known.accepted(manifest.accepts if manifest else ()),
        corrections=known.corrections(corrects),
        export_key=None if key is None else base64.urlsafe_b64encode(key).decode(),
    )
