"""Every error of the API: a stable code with its status, its title and whether trying again helps (RFC 9457)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from contracts.http import Problem

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error."""

    status: int
    title: str
    retryable: bool = False


KINDS: Final[dict[str, Kind]] = {
    "malformed_json": Kind(400, "The body is not JSON"),
    "json_too_deep": Kind(400, "The body is nested too deeply"),
    "idempotency_key_missing": Kind(400, "The header Idempotency-Key is missing"),
    "idempotency_key_malformed": Kind(400, "The header Idempotency-Key is malformed"),
    "cursor_invalid": Kind(400, "The cursor is not one of this list"),
    "key_missing": Kind(401, "An API key is needed"),
    "key_malformed": Kind(401, "The API key is malformed"),
    "key_unknown": Kind(401, "The API key is not known"),
    "key_expired": Kind(401, "The API key has expired"),
    "scope_missing": Kind(403, "The API key lacks a scope"),
    "not_found": Kind(404, "There is no such thing"),
    "other_service": Kind(404, "This belongs to another service"),
    "method_not_allowed": Kind(405, "This cannot be done here"),
    "not_allowed": Kind(409, "This cannot be done now"),
    "request_ended": Kind(409, "The request has ended"),
    "request_cancelling": Kind(409, "The request is being called off"),
    "effects_under_way": Kind(409, "Processors were told to act already"),
    "illegal_transition": Kind(409, "The request's state does not allow this"),
    "task_settled": Kind(409, "The task is settled"),
    "task_not_sent": Kind(409, "The task was not sent yet"),
    "nothing_to_retry": Kind(409, "Nothing needs to be sent again"),
    "nothing_to_confirm": Kind(409, "Nothing waits for a word on identities"),
    "package_not_ready": Kind(409, "The package is not ready yet"),
    "package_not_offered": Kind(409, "The request has no package"),
    "already_retired": Kind(409, "The processor is retired"),
    "version_not_made": Kind(409, "No such version was made"),
    "nothing_pending": Kind(409, "No manifest waits for approval"),
    "another_pending": Kind(409, "Another manifest waits for approval"),
    "order_in_a_circle": Kind(409, "Processors would have to come after each other"),
    "processor_kind_differs": Kind(409, "The id is enrolled as another kind"),
    "processor_mode_differs": Kind(409, "The id belongs to the other mode"),
    "processor_reserved": Kind(409, "The id is reserved"),
    "dead_letter_not_redrivable": Kind(409, "The dead letter cannot be sent again"),
    "dead_letter_dealt_with": Kind(409, "The dead letter was dealt with"),
    "package_expired": Kind(410, "The package is gone"),
    "body_too_large": Kind(413, "The body is too large"),
    "media_type_unsupported": Kind(415, "The body must be JSON"),
    "validation_failed": Kind(422, "Fields are wrong"),
    "right_not_offered": Kind(422, "The right is not offered"),
    "field_unknown": Kind(422, "No processor can correct the field"),
    "case_not_found": Kind(422, "The case does not exist"),
    "idempotency_key_reused": Kind(422, "The idempotency key was used for another body"),
    "internal_error": Kind(500, "Something went wrong here", retryable=True),
    "package_incomplete": Kind(500, "The package is not whole"),
    "overloaded": Kind(503, "Too much is waiting", retryable=True),
    "unavailable": Kind(503, "The database is away", retryable=True),
    "storage_unavailable": Kind(503, "The storage of exports is away", retryable=True),
}
RETRY_AFTER = "1"  # seconds, for what may pass soon


class ProblemRaised(Exception):
    """Ends the handling of a call with a problem. `code` is a key of `KINDS`."""

    def __init__(
        self, code: str, detail: str, *, errors: Sequence[dict[str, str]] = (), headers: dict[str, str] | None = None
    ) -> None:
        """Take the code and a sentence that says what to do, without values."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers or {}


def problem(code: str, detail: str, *, request_id: str | None, errors: Sequence[dict[str, str]] = ()) -> Problem:
    """Return the document. A code that `KINDS` lacks comes from a use case that refused; a test keeps them complete."""
    kind = KINDS.get(code, KINDS["not_allowed"])
    return Problem(
        type=f"/reference#{code}",
        title=kind.title,
        status=kind.status,
        code=code,
        detail=detail,
        retryable=kind.retryable,
        request_id=request_id,
        errors=list(errors),
    )


def respond(raised: ProblemRaised, request_id: str | None) -> Response:
    """Return the answer that tells of a problem."""
    document = problem(raised.code, raised.detail, request_id=request_id, errors=raised.errors)
    headers = dict(raised.headers)
    if document.status == 401:
        headers["www-authenticate"] = "Bearer"
    if document.status == 503:
        headers["retry-after"] = RETRY_AFTER
    return Response(document.model_dump_json(), document.status, headers, MEDIA_TYPE)
