"""Every call of the API, each described once as what to send and how to read the answer; nothing is sent here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel

from habeas.client.errors import NotSendable
from habeas.client.filing import NewRequest
from habeas.client.models import (
    Consumer,
    DeadLetter,
    Enrolment,
    FiledMany,
    Page,
    Processor,
    Recipient,
    Request,
    Task,
    TimelineEntry,
)

M = TypeVar("M", bound=BaseModel)
Filter = str | bool | int | date | datetime


@dataclass(frozen=True, slots=True)
class Operation(Generic[M]):
    """One call: `answer` is the model that a 2xx body is read as; the body may hold identities and is never shown."""

    method: str
    path: str
    answer: type[M]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    idempotency_key: str | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the effect of sending it once."""
        return self.method == "GET" or self.idempotency_key is not None


@dataclass(frozen=True, slots=True)
class Download:
    """A body to be read as it comes: where it is, of which request, and the media type that it must have."""

    path: str
    request: str
    media_type: str


# Requests


def file(request: NewRequest | Mapping[str, Any], *, idempotency_key: str | None = None) -> Operation[Request]:
    """File a request; a mapping is sent as it is, in the API's own form.

    Without `idempotency_key` a fresh one is made, and kept over retries of this call. Give your own (a ticket's id,
    say) so that a program that crashed and starts again does not file twice.

    >>> habeas.requests.file(NewRequest("erasure", {"email": "jane@example.com"}, contact="jane@example.com"))
    Request(id='req_...', ...)
    """
    return Operation("POST", "/v1/requests", Request, body=_body(request), idempotency_key=_key(idempotency_key))


def file_many(
    requests: Sequence[NewRequest | Mapping[str, Any]], *, idempotency_key: str | None = None
) -> Operation[FiledMany]:
    """File up to 1,000 requests in one call; each is judged and stored by itself.

    >>> [one.request.id if one.request else one.error for one in habeas.requests.file_many(batch).results]
    """
    body = {"requests": [_body(request) for request in requests]}
    return Operation("POST", "/v1/requests/batch", FiledMany, body=body, idempotency_key=_key(idempotency_key))


def get_request(request_id: str) -> Operation[Request]:
    """Return one request."""
    return Operation("GET", _path("/v1/requests", request_id), Request)


def list_requests(
    *,
    state: str | None = None,
    right: str | None = None,
    processor: str | None = None,
    attention: bool | None = None,
    overdue: bool | None = None,
    due_before: date | None = None,
    created_after: datetime | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[Page[Request]]:
    """Go through requests, the newest first; further pages are fetched as they are needed. `limit` is a page's size.

    >>> for request in habeas.requests.list(attention=True):
    ...     print(request.id, request.attention.reason)
    """
    query = _query(
        state=state,
        right=right,
        processor=processor,
        attention=attention,
        overdue=overdue,
        due_before=due_before,
        created_after=created_after,
        limit=limit,
        cursor=cursor,
    )
    return Operation("GET", "/v1/requests", Page[Request], query)


def list_tasks(request_id: str) -> Operation[Page[Task]]:
    """Go through the tasks of a request: processor by processor, what was asked and what came of it."""
    return Operation("GET", _path("/v1/requests", request_id, "tasks"), Page[Task])


def list_timeline(request_id: str) -> Operation[Page[TimelineEntry]]:
    """Go through everything that happened to a request, in order.

    >>> for entry in habeas.requests.timeline("req_..."):
    ...     print(entry.at, entry.type, entry.processor)
    """
    return Operation("GET", _path("/v1/requests", request_id, "timeline"), Page[TimelineEntry])


def list_recipients(request_id: str) -> Operation[Page[Recipient]]:
    """Go through the recipients of the data and what each was told (Article 19)."""
    return Operation("GET", _path("/v1/requests", request_id, "recipients"), Page[Recipient])


def get_package(request_id: str) -> Download:
    """Return the package of an answered access request, to be saved or gone through; nothing is fetched yet.

    >>> habeas.requests.package("req_...").save("jane.zip")
    SavedPackage(path=PosixPath('jane.zip'), bytes=48213, members=7)
    """
    return Download(_path("/v1/requests", request_id, "package"), request_id, "application/zip")


def cancel_request(request_id: str) -> Operation[Request]:
    """Withdraw a request; a problem with status 409 once anything may have been changed at a processor."""
    return Operation("POST", _path("/v1/requests", request_id, "cancel"), Request)


def retry_request(request_id: str) -> Operation[Request]:
    """Send what needs attention again: unsettled tasks, and mails that came back or did not go out."""
    return Operation("POST", _path("/v1/requests", request_id, "retry"), Request)


def confirm_identities(request_id: str, reason: str) -> Operation[Request]:
    """Say that what resolvers found is the subject's: a request that stopped as ambiguous goes on."""
    path = _path("/v1/requests", request_id, "confirm-identities")
    return Operation("POST", path, Request, body={"reason": reason})


# Tasks


def retry_task(task_id: str) -> Operation[Task]:
    """Send one unsettled task again."""
    return Operation("POST", _path("/v1/tasks", task_id, "retry"), Task)


def skip_task(task_id: str, reason: str) -> Operation[Task]:
    """Give a task up; the reason stands on the timeline, and the request can be fulfilled in part at most."""
    return Operation("POST", _path("/v1/tasks", task_id, "skip"), Task, body={"reason": reason})


# Processors


def list_processors() -> Operation[Page[Processor]]:
    """Go through the processors, retired ones included."""
    return Operation("GET", "/v1/processors", Page[Processor])


def enrol_processor(processor_id: str, kind: str, *, livemode: bool = True) -> Operation[Enrolment]:
    """Admit a processor; the answer holds its enrolment secret, for the connector host's folder.

    With `livemode=False` it is one for rehearsals: asked by requests that were filed with `hab_test_...` keys alone.
    """
    body: dict[str, Any] = {"id": processor_id, "kind": kind}
    return Operation("POST", "/v1/processors", Enrolment, body=body if livemode else {**body, "livemode": False})


def retire_processor(processor_id: str, reason: str) -> Operation[Processor]:
    """Plan nothing at this processor any more."""
    return Operation("POST", _path("/v1/processors", processor_id, "retire"), Processor, body={"reason": reason})


def approve_processor(processor_id: str, *, manifest_version: int | None = None) -> Operation[Processor]:
    """Approve the manifest that waits because it widens what the processor may see, resolve or do.

    The list says what, in `pending_asks`. With `manifest_version` no other than the one that was looked at is approved.
    """
    path = _path("/v1/processors", processor_id, "approve")
    return Operation("POST", path, Processor, _query(manifest_version=manifest_version))


def rotate_processor(processor_id: str) -> Operation[Enrolment]:
    """Make the next version of a processor's secret; the same one again until its host has announced it."""
    return Operation("POST", _path("/v1/processors", processor_id, "rotate"), Enrolment)


def revoke_processor(processor_id: str, below: int) -> Operation[Processor]:
    """Believe no version of a processor's secret below this one any more."""
    return Operation("POST", _path("/v1/processors", processor_id, "revoke"), Processor, body={"below": below})


# Dead letters and consumers


def list_dead_letters(
    *, service: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Operation[Page[DeadLetter]]:
    """Go through the records that the orchestrator could not take; further pages are fetched as they are needed.

    Each other service keeps its own, for its own command line: asking for those of one is answered `other_service`.
    """
    return Operation("GET", "/v1/dead-letters", Page[DeadLetter], _query(service=service, limit=limit, cursor=cursor))


def get_dead_letter(service: str, letter_id: int | str) -> Operation[DeadLetter]:
    """Return one dead letter: where it came from and why it was not taken."""
    return Operation("GET", _path("/v1/dead-letters", service, letter_id), DeadLetter)


def redrive_dead_letter(service: str, letter_id: int | str) -> Operation[DeadLetter]:
    """Give a dead letter to its consumer again, with the event id that it had."""
    return Operation("POST", _path("/v1/dead-letters", service, letter_id, "redrive"), DeadLetter)


def discard_dead_letter(service: str, letter_id: int | str, reason: str) -> Operation[DeadLetter]:
    """Give a dead letter up for good."""
    path = _path("/v1/dead-letters", service, letter_id, "discard")
    return Operation("POST", path, DeadLetter, body={"reason": reason})


def list_consumers() -> Operation[Page[Consumer]]:
    """Go through the orchestrator's consumers, and which of them halted."""
    return Operation("GET", "/v1/consumers", Page[Consumer])


def resume_consumer(service: str, name: str) -> Operation[Consumer]:
    """Let a halted consumer go on."""
    return Operation("POST", _path("/v1/consumers", service, name, "resume"), Consumer)


def page_after(operation: Operation[Page[Any]], cursor: str) -> Operation[Page[Any]]:
    """Return the same list from `cursor` on."""
    return replace(operation, query={**operation.query, "cursor": cursor})


def _body(request: NewRequest | Mapping[str, Any]) -> Mapping[str, Any]:
    return request.body() if isinstance(request, NewRequest) else request


def _key(given: str | None) -> str:
    key = str(uuid4()) if given is None else given
    if not 1 <= len(key) <= 250 or any(not "!" <= sign <= "~" or sign in '"\\' for sign in key):
        raise NotSendable("an idempotency key is 1 to 250 visible ASCII characters, without quotes and backslashes")
    return key


def _path(*parts: int | str) -> str:
    """Join an address; every part but the first is data and is escaped, so that an id can't lead elsewhere."""
    first, *rest = (str(part) for part in parts)
    if any(part in ("", ".", "..") for part in rest):
        raise NotSendable("an id is missing")
    return "/".join([first, *(quote(part, safe="") for part in rest)])


def _query(**filters: Filter | None) -> dict[str, str]:
    return {name: _text(value) for name, value in filters.items() if value is not None}


def _text(value: Filter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)
