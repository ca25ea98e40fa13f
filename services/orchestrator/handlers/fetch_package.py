"""Hands out the copy of an answered access request: to whom and when, and whether all of it went out, is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contracts import ids
from habeas.vocabulary import Action, AttentionReason, RequestState, Right
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.domain.planning import ACTION_OF
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import Workspace

SQL = Queries.load("services.orchestrator.store", "packages.sql")


@dataclass(frozen=True, slots=True)
class Opened:
    """The rows of `package_request` and `package_tasks`, and the key of every export by task."""

    request: Mapping[str, Any]
    tasks: Sequence[Mapping[str, Any]]
    keys: Mapping[str, bytes] = field(repr=False)


async def open_package(connection: Connection, *, request_id: str, deps: Dependencies) -> Opened:
    """Return what a package is made of.

    Raises `NotFound`, or `NotAllowed`: `package_not_offered`, `package_not_ready` or `package_expired`.
    """
    request = await connection.fetchrow(SQL["package_request"], request_id)
    if request is None:
        raise NotFound
    _check(request, deps)
    tasks = await connection.fetch(SQL["package_tasks"], request_id)
    exported = [task["id"] for task in tasks if task["export"] is not None]
    vault = await Vault.open(connection, deps.at_rest, [request_id])
    if exported and not (request["package_open"] and request_id in vault):
        raise _expired()
    return Opened(request, tasks, {task: vault.export_key(request_id, task) for task in exported})


async def note_fetch(connection: Connection, *, request_id: str, actor: str, deps: Dependencies) -> str:
    """Write on the timeline that `actor` fetches the package; return the id of that entry."""
    event = ids.new("evt")
    await _note(connection, request_id, "package.fetched", event, actor, {}, deps)
    return event


async def note_end(
    connection: Connection,
    *,
    request_id: str,
    actor: str,
    fetch: str,
    sent: int,
    reason: str | None,
    deps: Dependencies,
) -> None:
    """Write on the timeline how the fetch `fetch` ended, after `sent` bytes; without a `reason` all of it went out."""
    kind = "package.sent" if reason is None else "package.broken_off"
    detail = {"fetch": fetch, "bytes": sent} | ({} if reason is None else {"reason": reason})
    await _note(connection, request_id, kind, ids.new("evt"), actor, detail, deps)


async def _note(
    connection: Connection,
    request_id: str,
    kind: str,
    event: str,
    actor: str,
    detail: dict[str, Any],
    deps: Dependencies,
) -> None:
    work = Workspace(connection)
    await work.lock([request_id])
    request = work.requests[request_id]
    request.note(kind, event_id=event, at=deps.clock.now(), actor=actor, detail=detail)
    if kind == "package.sent":
        request.needs_nothing_more(AttentionReason.PACKAGE_NOT_FETCHED)
    work.touch(request)
    await work.save()


def _check(request: Mapping[str, Any], deps: Dependencies) -> None:
    state = RequestState(request["state"])
    if ACTION_OF.get(Right(request["right"])) is not Action.EXPORT:
        raise NotAllowed("package_not_offered", "Only a request for access has a package.")
    if not state.is_terminal:
        detail = f"The request is {state.value}: come again once it is completed. It is due on {request['due_on']}."
        raise NotAllowed("package_not_ready", detail)
    if state is not RequestState.COMPLETED:
        raise NotAllowed("package_not_offered", f"The request is {state.value}, so nothing was copied for it.")
    lifetime = timedelta(seconds=deps.settings.package_lifetime)
    if deps.clock.now() >= (request["package_until"] or request["completed_at"] + lifetime):
        raise _expired()


def _expired() -> NotAllowed:
    return NotAllowed("package_expired", "The copy was kept for its time and is gone. File a new request for another.")
