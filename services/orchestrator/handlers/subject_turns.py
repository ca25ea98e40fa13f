"""Keeps whose turn it is with a subject: who waits for whom before tasks are sent, and who still asks for a copy."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.domain.turns import COPIES, Asking, Turns, decide
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import Workspace

SQL = Queries.load("services.orchestrator.store", "turns.sql")


class LostRace(RuntimeError):
    """Another dispatcher gave a turn with the same subject in the same moment; the step is simply run again."""


async def take_turns(
    deps: Dependencies, work: Workspace, vault: Vault, tasks: Sequence[ProcessorTask]
) -> Mapping[str, str]:
    """Give the requests of `tasks` their turns; return the tasks that may not be sent, and behind whom each waits.

    A task that was sent before goes again whatever happens meanwhile: its host has it.
    """
    asking = [
        Asking(task.id, task.request_id, task.processor, task.action, _subject(deps, work, vault, task.request_id))
        for task in sorted(tasks, key=lambda one: one.id)
        if not task.was_sent
    ]
    learned = [(request, _subject(deps, work, vault, request)) for request in vault.known_better]
    if not asking and not learned:
        return {}
    turns = await _turns(work.connection, asking, learned)
    decided = decide(asking, turns, learned)
    if decided.take:
        taken = await work.connection.fetch(
            SQL["take_turns"],
            [blind for blind, _, _ in decided.take],
            [ordinal for _, ordinal, _ in decided.take],
            [request for _, _, request in decided.take],
        )
        if len(taken) != len(decided.take):
            raise LostRace
    return decided.behind


async def _turns(
    connection: Connection, asking: Sequence[Asking], learned: Sequence[tuple[str, frozenset[bytes]]]
) -> Turns:
    subjects = [*(one.subject for one in asking), *(subject for _, subject in learned)]
    blinds = sorted(frozenset().union(*subjects))
    turns = Turns(readers={})
    readers: dict[bytes, set[str]] = {}
    for row in await connection.fetch(SQL["about"], blinds):
        if row["ordinal"] is None:
            readers.setdefault(row["blind"], set()).add(row["request_id"])
        else:
            turns.holders.setdefault(row["blind"], {})[row["ordinal"]] = row["request_id"]
    turns.readers = readers
    pairs = {(other, one.processor) for one in asking for other in _ahead(turns, one)}
    if pairs:
        rows = await connection.fetch(SQL["running"], [one for one, _ in pairs], [one for _, one in pairs])
        turns.running = {(row["request_id"], row["processor"]) for row in rows}
    return turns


def _ahead(turns: Turns, one: Asking) -> list[str]:
    """Return the requests that have a turn with this task's subject as its own request has."""
    return turns.rivals(one) if turns.begun(one.request, one.subject) else []


async def note_waiting(
    messages: Messages, work: Workspace, tasks: Sequence[ProcessorTask], behind: Mapping[str, str], now: datetime
) -> None:
    """Let the tasks wait, and say so once for each request that they wait for.

    One that needs a person makes what waits for it need one too. Another client's request is not named.
    """
    if not behind:
        return
    rows = await work.connection.fetch(SQL["waited_for"], sorted(set(behind.values())))
    others = {row["id"]: row for row in rows}
    for task in tasks:
        if task.id not in behind:
            continue
        request, other = work.requests[task.request_id], others[behind[task.id]]
        stuck = other["attention"] is not None
        if task.behind != other["id"]:
            known = (other["client_id"], other["livemode"]) == (request.client_id, request.livemode)
            request.note(
                "task.waits",
                event_id=messages.event_id(request.id, "task.waits", request.timeline_seq + 1),
                at=now,
                task_id=task.id,
                processor=task.processor,
                detail={"behind": other["id"] if known else "a request of another client"},
            )
        if stuck != task.waits_for_a_person:
            request.wake_planner()
        task.wait_behind(other["id"], now, stuck=stuck)
        work.touch_task(task)
        work.touch(request)


async def read_on(deps: Dependencies, work: Workspace, vault: Vault) -> None:
    """Note whom the requests for a copy are about by now, of those whose subjects became known better."""
    rows = [
        (request, blind)
        for request in vault.known_better
        if work.requests[request].right in COPIES and not work.requests[request].state.is_terminal
        for blind in _subject(deps, work, vault, request)
    ]
    if rows:
        await work.connection.execute(SQL["read"], [one for one, _ in rows], [one for _, one in rows])


def _subject(deps: Dependencies, work: Workspace, vault: Vault, request: str) -> frozenset[bytes]:
    return vault[request].subject(deps.blind_key_of(livemode=work.requests[request].livemode))
