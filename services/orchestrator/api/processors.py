"""Processors: list, enrol, retire, approve, rotate and revoke their secrets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.enrolments import EnrolIn, EnrolmentOut, ProcessorOut, RevokeIn
from contracts.http import Page, ReasonIn
from habeas.vocabulary import Scope
from services.chassis.postgres.pool import Connection
from services.orchestrator.api import bodies
from services.orchestrator.api.examples import ENROL, REASON, REVOKE
from services.orchestrator.api.problems import ProblemRaised
from services.orchestrator.api.requests import OnlyCursor
from services.orchestrator.api.routing import Call, Operation, json_response
from services.orchestrator.domain.errors import NotFound
from services.orchestrator.handlers import approve_manifest, retire_processor
from services.orchestrator.handlers.enrol_processor import SQL, enrol_processor
from services.orchestrator.handlers.rotate_secret import revoke_versions, rotate_secret
from services.orchestrator.views.processors import processor_out


async def list_processors(call: Call) -> Response:
    """Return every processor, retired ones included."""
    bodies.parse_query(OnlyCursor, call.request)
    async with call.deps.operations.database.connection() as connection:
        rows = await connection.fetch(SQL["processors"], None, ACTS_SHOWN)
    return json_response(Page[ProcessorOut](data=tuple(processor_out(row) for row in rows)))


async def enrol(call: Call) -> Response:
    """Admit a processor."""
    body = bodies.parse(EnrolIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    _may_change(call, livemode=body.livemode)
    enrolment = await enrol_processor(
        processor=body.id,
        kind=body.kind,
        livemode=body.livemode,
        actor=call.principal.client_id,
        provision=call.deps.provision,
        deps=call.deps.operations,
    )
    return json_response(enrolment, 201)


async def retire(call: Call) -> Response:
    """Plan nothing at a processor any more."""
    deps = call.deps.operations
    processor = call.path("processor")
    body = bodies.parse(ReasonIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    async with _changing(call, processor) as connection:
        await retire_processor.retire_processor(
            connection, processor=processor, reason=body.reason, actor=call.principal.client_id, deps=deps
        )
        answer = await _processor(connection, processor)
    deps.wakes.ring()
    return json_response(answer)


ACTS_SHOWN = 20  # of each processor; all are kept


class ApproveQuery(BaseModel):
    """Which manifest is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    manifest_version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="`pending_manifest_version` as you saw it: another one is not approved then"
    )


async def approve(call: Call) -> Response:
    """Let a wider manifest take effect."""
    deps = call.deps.operations
    processor = call.path("processor")
    query = bodies.parse_query(ApproveQuery, call.request)
    async with _changing(call, processor) as connection:
        await approve_manifest.approve_manifest(
            connection,
            processor=processor,
            version=query.manifest_version,
            actor=call.principal.client_id,
            deps=deps,
        )
        answer = await _processor(connection, processor)
    deps.wakes.ring()
    return json_response(answer)


async def rotate(call: Call) -> Response:
    """Make the next version of a processor's secret."""
    deps = call.deps.operations
    processor = call.path("processor")
    async with _changing(call, processor) as connection:
        enrolment = await rotate_secret(connection, processor=processor, actor=call.principal.client_id, deps=deps)
    return json_response(enrolment, 201)


async def revoke_secrets(call: Call) -> Response:
    """Believe older versions no more."""
    deps = call.deps.operations
    processor = call.path("processor")
    body = bodies.parse(RevokeIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    async with _changing(call, processor) as connection:
        await revoke_versions(
            connection, processor=processor, below=body.below, actor=call.principal.client_id, deps=deps
        )
        answer = await _processor(connection, processor)
    deps.wakes.ring()
    return json_response(answer)


@asynccontextmanager
async def _changing(call: Call, processor: str) -> AsyncIterator[Connection]:
    """Open a transaction in which a processor is changed that is the caller's to change; raises a problem."""
    async with call.deps.operations.database.transaction() as connection:
        row = await connection.fetchrow(SQL["standing"], processor)
        if row is None:
            raise NotFound
        _may_change(call, livemode=row["livemode"])
        yield connection


def _may_change(call: Call, *, livemode: bool) -> None:
    if livemode and not call.principal.livemode:
        raise ProblemRaised("scope_missing", "A key for rehearsals cannot change a processor of the real thing.")


async def _processor(connection: Connection, processor: str) -> ProcessorOut:
    row = await connection.fetchrow(SQL["processors"], processor, ACTS_SHOWN)
    if row is None:
        raise NotFound
    return processor_out(row)


OPERATIONS = (
    Operation(
        "GET", "/v1/processors", Scope.PROCESSORS_READ, "List processors", list_processors, Page[ProcessorOut],
        description="Every system that holds data, of both modes and retired ones included, and in `acts` what was "
        "last done with each on purpose: by whom, when and why.",
    ),
    Operation(
        "POST", "/v1/processors", Scope.PROCESSORS_ADMIN, "Enrol a processor", enrol, EnrolmentOut, status=201,
        body=EnrolIn, example=ENROL,
        codes=("processor_kind_differs", "processor_mode_differs", "processor_reserved", "validation_failed"),
        description=(
            "Makes its topic and returns the secret for its connector host. Enrolling the same id and kind again "
            "returns the same enrolment; a retired id gets a new one. With `livemode` false it is a processor for "
            "rehearsals. A key for rehearsals can enrol and change only those."
        ),
    ),
    Operation(
        "POST", "/v1/processors/{processor}/retire", Scope.PROCESSORS_ADMIN, "Retire a processor", retire,
        ProcessorOut, body=ReasonIn, codes=("not_found", "already_retired", "validation_failed"), example=REASON,
        description="Open requests go on without it; their outcomes say so, and their timelines who retired it.",
    ),
    Operation(
        "POST", "/v1/processors/{processor}/approve", Scope.PROCESSORS_ADMIN, "Approve a manifest", approve,
        ProcessorOut, query=ApproveQuery,
        codes=("not_found", "nothing_pending", "another_pending", "order_in_a_circle", "validation_failed"),
        description="A manifest that widens what a processor may see, resolve or do waits for this; the list shows in "
        "`pending_asks` what it would newly be allowed. One by whose "
        "`after` kinds would have to come after each other cannot take effect; the answer names the path.",
    ),
    Operation(
        "POST", "/v1/processors/{processor}/rotate", Scope.PROCESSORS_ADMIN, "Rotate a secret", rotate, EnrolmentOut,
        status=201, codes=("not_found", "already_retired"),
        description="Makes the next version of the enrolment secret. It is used once the connector host announces that "
        "it holds it; until then the same version is returned again. The version before stays valid until revoked.",
    ),
    Operation(
        "POST", "/v1/processors/{processor}/revoke", Scope.PROCESSORS_ADMIN, "Revoke secrets",
        revoke_secrets, ProcessorOut,
        body=RevokeIn, codes=("not_found", "already_retired", "version_not_made", "validation_failed"), example=REVOKE,
        description="What versions below this one prove is refused at once. A processor whose host has announced none "
        "of the others is sent nothing new until it does.",
    ),
)  # fmt: skip
