"""Ends a request: sums up, tells the subject and whoever listens, lets hosts forget, frees the subject's locks."""

from datetime import datetime, timedelta

from contracts.notices import Recipient
from contracts.outcomes import Outcome
from contracts.requests import RequestCompleted
from habeas.vocabulary import Action, NoticeKind, RequestState
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.settlement import sum_up
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import Workspace


def complete(
    deps: Dependencies,
    messages: Messages,
    work: Workspace,
    directory: Directory,
    vault: Vault,
    request: DataSubjectRequest,
    tasks: list[ProcessorTask],
    now: datetime,
) -> None:
    """Complete `request`, all of whose tasks are over."""
    outcome = sum_up(tasks, complete=request.complete)
    request.outcome = outcome.model_dump_json()
    request.complete = outcome.complete
    request.completed_at = now
    request.needs_nothing()
    request.move(RequestState.COMPLETED)
    detail = {"headline": outcome.headline.value}
    if any(task.export is not None for task in tasks):
        request.package_open = True
        request.package_until = now + timedelta(seconds=deps.settings.package_lifetime)
        detail["package_until"] = request.package_until.isoformat()
    request.note(
        "request.completed", event_id=messages.event_id(request.id, "request.completed"), at=now, detail=detail
    )
    work.send(messages.fact(RequestCompleted, request, at=now, outcome=outcome))
    _tell_subject(deps, messages, work, directory, vault, request, tasks, outcome, now)
    close_tasks(messages, work, directory, request, tasks, now)


def notice_silence(deps: Dependencies, now: datetime) -> datetime:
    """Return when an unanswered notice is shown to an operator."""
    return now + timedelta(seconds=deps.settings.silence_attention)


def close_tasks(
    messages: Messages,
    work: Workspace,
    directory: Directory,
    request: DataSubjectRequest,
    tasks: list[ProcessorTask],
    now: datetime,
) -> None:
    """Let every host that heard of the subject forget it, and let the subject's other requests go on.

    Hosts keep what the package is made of until `ClosePackages` has them forget that, too.
    """
    for task in tasks:
        kept = request.package_open and task.export is not None
        if task.was_sent and not kept:
            work.send(messages.closed(request, task, keys=directory.keys(task.processor), at=now))
    work.release_subject(request)


def recipients_of(directory: Directory, tasks: list[ProcessorTask]) -> tuple[Recipient, ...]:
    """Return what each recipient of the data did (Article 19), by the name that people know it by."""
    found = []
    for task in tasks:
        if task.action is Action.RESOLVE or task.outcome is None:
            continue
        outcome = Outcome.model_validate_json(task.outcome)
        found.append(Recipient(title=directory[task.processor].title, lines=outcome.lines))
    return tuple(found)


def _tell_subject(
    deps: Dependencies,
    messages: Messages,
    work: Workspace,
    directory: Directory,
    vault: Vault,
    request: DataSubjectRequest,
    tasks: list[ProcessorTask],
    outcome: Outcome,
    now: datetime,
) -> None:
    known = vault[request.id]
    if known.email is None:
        return
    kind = NoticeKind.COMPLETION
    notice = messages.notice(
        request,
        kind,
        email=known.email,
        reference=known.reference,
        at=now,
        outcome=outcome,
        recipients=recipients_of(directory, tasks),
    )
    work.send(notice)
    work.add_notice(messages.notice_id(request, kind), request, kind, at=now, silence_at=notice_silence(deps, now))
