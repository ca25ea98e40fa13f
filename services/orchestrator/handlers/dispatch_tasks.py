"""Sends tasks: one subject at a time, sealed to the processor, the row and the message in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial

from services.chassis.crypto.blind_index import blind_index
from services.chassis.faultpoints import faultpoint
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import SQL, Workspace


class LostRace(RuntimeError):
    """Another dispatcher locked a subject in the same moment; the step is simply run again."""


@dataclass(frozen=True, slots=True)
class _Want:
    """A lock that a task needs before it may be sent."""

    processor: str
    blind: bytes
    request: str


class Dispatcher:
    """A loop's step: one batch of ready tasks."""

    def __init__(self, deps: Dependencies) -> None:
        """Dispatch with `deps`."""
        self._deps = deps

    async def step(self) -> int:
        """Send one batch; return how many tasks were looked at."""
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(SQL["ready_tasks"], self._deps.settings.batch)
            if not rows:
                return 0
            work = Workspace(connection)
            await work.lock([row["request_id"] for row in rows], wait=False)
            await work.load_tasks([row["id"] for row in rows])
            sent = await dispatch(self._deps, work, work.ready_tasks())
            await work.save()
            faultpoint("dispatcher.before_commit")
        faultpoint("dispatcher.committed")
        self._deps.wakes.relay.set()
        return sent

    async def unblock(self) -> int:
        """Let tasks try again whose subject may be free by now: the step of a slow loop of its own."""
        async with self._deps.database.connection() as connection:
            await connection.execute(SQL["unblock_tasks"])
        return 0


async def dispatch(
    deps: Dependencies,
    work: Workspace,
    tasks: Sequence[ProcessorTask],
    directory: Directory | None = None,
    vault: Vault | None = None,
) -> int:
    """Send `tasks` (again) within the caller's transaction, except those whose subject is taken; return how many.

    The caller holds their requests, loaded them into `work` and saves it; `directory` and `vault` are read unless it
    has them already.
    """
    if not tasks:
        return 0
    now = deps.clock.now()
    messages = Messages(deps)
    if directory is None:
        directory = await Directory.read(work.connection, deps.root)
    if vault is None:
        vault = await Vault.open(work.connection, deps.at_rest, sorted({task.request_id for task in tasks}))
    blocked = await _lock_subjects(deps, work.connection, directory, vault, tasks)
    for task in tasks:
        if task.id in blocked:
            task.blocked = True
            work.touch_task(task)
        else:
            _send(deps, messages, work, directory, vault, task, now)
    return len(tasks) - len(blocked)


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
    task.dispatch(now, now + timedelta(seconds=deps.settings.silence_attention))
    identities = vault[request.id].accepted(processor.manifest.accepts if processor.manifest else ())
    keys = directory.keys(task.processor)
    work.send(messages.dispatched(request, task, keys=keys, identities=identities, at=now))
    work.touch_task(task)
    request.note(
        "task.dispatched",
        event_id=messages.event_id(task.id, "task.dispatched", task.dispatch_no),
        at=now,
        task_id=task.id,
        processor=task.processor,
        detail={"action": task.action.value, "dispatch_no": task.dispatch_no},
    )
    work.touch(request)


async def _lock_subjects(
    deps: Dependencies, connection: Connection, directory: Directory, vault: Vault, tasks: Sequence[ProcessorTask]
) -> set[str]:
    """Take the locks of all tasks that can have all of theirs; return the ids of the others.

    A task that can not have all takes none, so that two requests never hold what the other waits for.
    """
    wants: dict[str, list[_Want]] = {}
    blind = lru_cache(maxsize=None)(partial(blind_index, deps.blind_key))  # one identity concerns many processors
    for task in sorted(tasks, key=lambda one: one.id):
        manifest = directory[task.processor].manifest
        identities = vault[task.request_id].accepted(manifest.accepts if manifest else ())
        wants[task.id] = [_Want(task.processor, blind(one.type, one.value), task.request_id) for one in identities]
    asked = {(want.processor, want.blind) for some in wants.values() for want in some}
    rows = await connection.fetch(SQL["subject_holders"], [one for one, _ in asked], [one for _, one in asked])
    holders = {(row["processor"], row["blind"]): row["request_id"] for row in rows}
    taking: dict[tuple[str, bytes], str] = {}
    blocked = set()
    for task_id, some in wants.items():
        if any(holders.get((one.processor, one.blind), one.request) != one.request for one in some):
            blocked.add(task_id)
            continue
        for one in some:
            if (one.processor, one.blind) not in holders:
                holders[one.processor, one.blind] = taking[one.processor, one.blind] = one.request
    if taking:
        taken = await connection.fetch(
            SQL["lock_subjects"], [one for one, _ in taking], [one for _, one in taking], list(taking.values())
        )
        if len(taken) != len(taking):
            raise LostRace
    return blocked
