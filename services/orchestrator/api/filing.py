"""Filing: the two routes by which requests come in. They are the hot path, so they parse bytes straight into shapes."""

import json
from typing import Any, cast

from pydantic import ValidationError
from starlette.responses import Response

from contracts.http import BatchIn, BatchItemOut, BatchOut, RequestIn, RequestOut
from habeas.vocabulary import IdentityCheckMethod, RequestState, Right, Scope
from services.orchestrator.api import bodies
from services.orchestrator.api.examples import ACCESS, BATCH, RECTIFICATION, REQUEST
from services.orchestrator.api.problems import ProblemRaised, problem
from services.orchestrator.api.requests import load
from services.orchestrator.api.routing import Call, Operation, json_response, known, require
from services.orchestrator.domain.intake import Unacceptable
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.file_requests import Filed
from services.orchestrator.handlers.prepare_filing import Filing

_KEY_LENGTH = 255
_CODES = (
    "idempotency_key_missing", "idempotency_key_malformed", "malformed_json", "json_too_deep", "body_too_large",
    "media_type_unsupported", "overloaded",
)  # fmt: skip
_CODES_OF_ONE = ("validation_failed", "right_not_offered", "field_unknown", "case_not_found", "idempotency_key_reused")


async def file_request(call: Call) -> Response:
    """File one request."""
    key = idempotency_key(call)
    body = bodies.parse(RequestIn, await bodies.read(call.request, limit=FILE.limit))
    fields = await _fields(call) if body.right is Right.RECTIFICATION else None
    filing = _prepare(call, body, f"one {key}", fields)
    filed = await call.deps.filer.file(filing)
    request = await _show(call, filing, body, filed)
    headers = {"location": f"/v1/requests/{request.id}"}
    if filed.replayed:
        headers["idempotent-replayed"] = "true"
    return json_response(request, 201, headers)


async def file_batch(call: Call) -> Response:
    """File many requests; each is judged and stored by itself."""
    key = idempotency_key(call)
    batch = bodies.parse(BatchIn, await bodies.read(call.request, limit=FILE_BATCH.limit))
    corrects = any(item.get("right") == Right.RECTIFICATION for item in batch.requests)
    fields = await _fields(call) if corrects else None
    prepared = [_judge(call, item, f"batch {index} {key}", fields) for index, item in enumerate(batch.requests)]
    good = [one for one in prepared if not isinstance(one, Exception)]
    stored = iter(await call.deps.filer.file_many([filing for filing, _ in good]))
    results = []
    for index, one in enumerate(prepared):
        outcome = one if isinstance(one, Exception) else next(stored)
        if isinstance(outcome, Exception):
            results.append(_refused(call, index, outcome))
        else:
            filing, body = cast("tuple[Filing, RequestIn]", one)
            request = await _show(call, filing, body, outcome)
            results.append(BatchItemOut(index=index, status=201, request=request))
    return json_response(BatchOut(results=tuple(results)))


def idempotency_key(call: Call) -> str:
    """Return the header Idempotency-Key: 1 to 255 visible ASCII characters; raise a problem.

    The IETF draft writes it as a quoted string (RFC 8941 3.3.3) and many clients write it bare: `"k"` and `k` are one.
    """
    values = call.request.headers.getlist("idempotency-key")
    if not values:
        detail = "Send a header Idempotency-Key, fresh for each request and the same when you send one again."
        raise ProblemRaised("idempotency_key_missing", detail)
    key = values[0]
    if len(values) > 1 or not 1 <= len(key) <= _KEY_LENGTH or not all("!" <= character <= "~" for character in key):
        detail = "Idempotency-Key is one value of 1 to 255 visible ASCII characters, without spaces."
        raise ProblemRaised("idempotency_key_malformed", detail)
    return key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key


async def _fields(call: Call) -> frozenset[str] | None:
    """Return what can be corrected here; only a rectification pays for asking."""
    deps = call.deps.operations
    async with deps.database.connection() as connection:
        directory = await Directory.read(connection, deps.root)
    return directory.corrected_fields(livemode=call.principal.livemode)


def _prepare(call: Call, body: RequestIn, key: str, fields: frozenset[str] | None) -> Filing:
    if body.identity_check.method is IdentityCheckMethod.CLIENT_ASSERTED:
        require(call.principal, Scope.IDENTITY_ASSERT)
    return call.api.preparer.prepare(
        body, call.principal, idempotency_key=key, fields=fields, traceparent=call.exchange.traceparent
    )


def _judge(
    call: Call, item: dict[str, Any], key: str, fields: frozenset[str] | None
) -> tuple[Filing, RequestIn] | Exception:
    """Return an item of a batch ready to be stored, or why it can not be."""
    try:
        # Through JSON, so that an item of a batch is read exactly as it would be alone.
        body = RequestIn.model_validate_json(json.dumps(item))
        return _prepare(call, body, key, fields), body
    except ValidationError as error:
        return bodies.from_validation(error)
    except (ProblemRaised, Unacceptable) as error:
        return error


def _refused(call: Call, index: int, error: Exception) -> BatchItemOut:
    raised = error if isinstance(error, ProblemRaised) else known(error, call.exchange, FILE_BATCH.path)
    if raised is None:
        raised = ProblemRaised("internal_error", "The mistake is ours. Try again with the same key.")
    document = problem(raised.code, raised.detail, request_id=call.exchange.id, errors=raised.errors)
    return BatchItemOut(index=index, status=document.status, problem=document)


async def _show(call: Call, filing: Filing, body: RequestIn, filed: Filed) -> RequestOut:
    """Return the request; one that was stored just now is known without reading it back."""
    if filed.replayed:
        return await load(call, filed.request_id)
    return RequestOut(
        id=filing.id,
        case=filing.case_id,
        right=Right(filing.right),
        state=RequestState(filing.state),
        received_at=filing.received_at,
        created_at=filing.created_at,
        due_on=filing.due_on,
        due_on_unpaused=filing.due_on,
        overdue=filing.due_at < filing.created_at,
        outcome=None,
        task_counts=None,
        attention=None,
        livemode=filing.livemode,
        channel=filing.channel,
        reference=body.reference,
        metadata=body.metadata,
        version=1,
        completed_at=None,
        informed_at=None,
    )


FILE = Operation(
    "POST",
    "/v1/requests",
    Scope.REQUESTS_FILE,
    "File a request",
    file_request,
    RequestOut,
    status=201,
    body=RequestIn,
    keyed=True,
    codes=(*_CODES, *_CODES_OF_ONE),
    description=(
        "One subject, one right. The answer comes when the request is stored; it never repeats identities. Sending it "
        "again with the same Idempotency-Key and body returns the stored request with `Idempotent-Replayed: true`. "
        "Filed with a key for rehearsals it reaches processors for rehearsals alone; mails do go to its contact, "
        "marked as a test."
    ),
    example=REQUEST,
    more_examples={"access": ACCESS, "rectification": RECTIFICATION},
)
FILE_BATCH = Operation(
    "POST",
    "/v1/requests/batch",
    Scope.REQUESTS_FILE,
    "File up to 1,000 requests",
    file_batch,
    BatchOut,
    body=BatchIn,
    limit=8 * 1024 * bodies.KIB,
    keyed=True,
    codes=(*_CODES, "validation_failed"),
    description="Each is judged and stored by itself: look at `results`. Sending the batch again files nothing twice.",
    example=BATCH,
)
OPERATIONS = (FILE, FILE_BATCH)
