"""Sends notices once more, and says which requests have one that somebody has to know of."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from contracts.notices import Recipient
from contracts.outcomes import Outcome
from habeas.vocabulary import AttentionReason, NoticeKind
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.handlers.complete_request import recipients_of
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import Workspace

SQL = Queries.load("services.orchestrator.store", "notices.sql")

# By the rank that the query `troubled` gives: what is certain goes before what is feared.
_TROUBLES: Final = {
    1: AttentionReason.NOTICE_BOUNCED,
    2: AttentionReason.NOTICE_UNKNOWN,
    3: AttentionReason.NOTICE_SILENT,
}


async def troubles(connection: Connection, requests: Collection[str]) -> dict[str, AttentionReason]:
    """Return what is the matter with the notices of those of `requests` that have such a notice."""
    rows = await connection.fetch(SQL["troubled"], sorted(requests))
    return {row["request_id"]: _TROUBLES[row["worst"]] for row in rows}


def show_trouble(request: DataSubjectRequest, trouble: AttentionReason | None, now: datetime) -> None:
    """Show, or no longer, what is the matter with its notices; of a request that goes on, the planner shows it."""
    if not request.state.is_terminal:
        request.wake_planner()
    elif trouble is not None:
        request.need(trouble, since=now)
    else:
        for told in _TROUBLES.values():
            request.needs_nothing_more(told)


async def send_again(deps: Dependencies, work: Workspace, rows: Sequence[Any], now: datetime) -> set[str]:
    """Send each of `rows` (of the queries in notices.sql) under its next number; return the ids of those that went.

    The requests and all their tasks are in `work`. A notice of a request that can not be read does not go.
    """
    directory = await Directory.read(work.connection, deps.root)
    vault = await Vault.open(work.connection, deps.at_rest, sorted({row["request_id"] for row in rows}), leave_out=True)
    messages = Messages(deps)
    went = set()
    for row in rows:
        request = work.requests[row["request_id"]]
        known = vault.get(request.id)
        if known is None or known.email is None:
            continue
        kind = NoticeKind(row["kind"])
        outcome: Outcome | None = None
        recipients: tuple[Recipient, ...] = ()
        if kind is NoticeKind.COMPLETION and request.outcome is not None:
            outcome = Outcome.model_validate_json(request.outcome)
            recipients = recipients_of(directory, work.tasks_of(request.id))
        work.send(
            messages.notice(
                request,
                kind,
                email=known.email,
                reference=known.reference,
                at=now,
                dispatch_no=row["dispatch_no"] + 1,
                outcome=outcome,
                recipients=recipients,
            )
        )
        went.add(row["id"])
    return went
