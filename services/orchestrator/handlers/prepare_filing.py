"""Makes an accepted body ready to be stored: ids, due date, encryption, first timeline entry, first fact."""

import hmac
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from contracts import ids
from contracts.http import RequestIn
from contracts.requests import RequestReceived
from contracts.topics import REQUESTS
from habeas.vocabulary import RequestState
from services.chassis.crypto.blind_index import blind_index
from services.chassis.kafka.outgoing import Outgoing
from services.orchestrator.domain import intake
from services.orchestrator.domain.deadline import Calendar
from services.orchestrator.domain.timeline import ORIGIN, Entry, chain
from services.orchestrator.domain.turns import COPIES
from services.orchestrator.handlers.authenticate import Principal
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.secrets import KnownCorrection, KnownIdentity, Secrets, pack

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Filing:
    """One request that waits to be stored: the columns of its rows, and the fact that tells of it."""

    id: str
    case_id: str
    own_case: bool
    client_id: str
    livemode: bool
    right: str
    state: str
    channel: str
    requester_relation: str
    identity_check: str
    language: str
    country: str | None
    idempotency_digest: bytes = field(repr=False)
    body_digest: bytes = field(repr=False)
    received_at: datetime
    created_at: datetime
    due_on: date
    due_at: datetime
    timeline_hash: bytes
    traceparent: str | None
    event_id: str
    metadata: str = field(repr=False)
    wrapped: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    reads: tuple[bytes, ...] = field(repr=False)  # blind indexes of the subject, for a right that asks for a copy
    fact: Outgoing = field(repr=False)


class Preparer:
    """Prepares filings of one installation."""

    def __init__(self, deps: Dependencies) -> None:
        """Derive the keys of the digests, and fail now rather than later if country or zone is unknown."""
        self._deps = deps
        # Keyed, since a key or a body may be guessed from a plain digest long after its request was shredded.
        self._keys_digest = deps.root.derive("habeas idempotency keys")
        self._body_digest = deps.root.derive("habeas idempotency bodies")
        self._calendar = Calendar(deps.settings.controller_country, deps.settings.controller_zone)
        self._calendar.deadline(deps.clock.now())

    def prepare(
        self,
        body: RequestIn,
        principal: Principal,
        *,
        idempotency_key: str,
        fields: frozenset[str] | None = None,
        traceparent: str | None = None,
    ) -> Filing:
        """Return `body` ready to be stored; raise `Unacceptable`. `fields` can be corrected here (None: not asked)."""
        now = self._deps.clock.now()
        offer = intake.Offer(self._deps.settings.exports_url is not None, fields)
        received_at = intake.accept(body, now=now, offer=offer)
        deadline = self._calendar.deadline(received_at)
        request_id, event_id = ids.new("req"), ids.new("evt")
        case_id = body.case or ids.new("cas")
        entry = Entry(seq=1, event_id=event_id, type="request.received", at=now, actor=principal.client_id)
        data_key = self._deps.at_rest.fresh()
        secrets = _secrets(body)
        return Filing(
            id=request_id,
            case_id=case_id,
            own_case=body.case is None,
            client_id=principal.client_id,
            livemode=principal.livemode,
            right=body.right.value,
            state=RequestState.RECEIVED.value,
            channel=body.channel,
            requester_relation=body.requester.relation.value,
            identity_check=body.identity_check.method.value,
            language=body.subject.language.value,
            country=body.subject.country,
            idempotency_digest=hmac.digest(self._keys_digest, idempotency_key.encode(), "sha256"),
            body_digest=hmac.digest(self._body_digest, _canonical(body), "sha256"),
            received_at=received_at,
            created_at=now,
            due_on=deadline.on,
            due_at=deadline.at,
            timeline_hash=chain(ORIGIN, entry),
            traceparent=traceparent,
            event_id=event_id,
            metadata=json.dumps(body.metadata),
            wrapped=data_key.wrapped,
            sealed=pack(data_key.plain, request_id, secrets),
            reads=self._reads(body, secrets, livemode=principal.livemode),
            fact=self._fact(body, principal, request_id, case_id, event_id, now, deadline.on, traceparent),
        )

    def _reads(self, body: RequestIn, secrets: Secrets, *, livemode: bool) -> tuple[bytes, ...]:
        if body.right not in COPIES:
            return ()
        key = self._deps.blind_key_of(livemode=livemode)
        return tuple(blind_index(key, one.type, one.value) for one in secrets.identities)

    def _fact(
        self,
        body: RequestIn,
        principal: Principal,
        request_id: str,
        case_id: str,
        event_id: str,
        now: datetime,
        due_on: date,
        traceparent: str | None,
    ) -> Outgoing:
        received = RequestReceived(
            livemode=principal.livemode,
            request_id=request_id,
            case_id=case_id,
            client_id=principal.client_id,
            right=body.right,
            state=RequestState.RECEIVED,
            version=1,
            at=now,
            due_on=due_on,
        )
        return self._deps.composer.compose(
            REQUESTS,
            received,
            key=request_id,
            keys=self._deps.notifier,
            event_id=event_id,
            subject=request_id,
            at=now,
            traceparent=traceparent,
            sequence=1,
        )


def _secrets(body: RequestIn) -> Secrets:
    identities = tuple(KnownIdentity(one.type, one.value) for one in intake.distinct(body.subject))
    contact = body.subject.contact
    asked = () if body.rectification is None else body.rectification.corrections
    corrections = tuple(KnownCorrection(one.field, one.old, one.new) for one in asked)
    return Secrets(identities, None if contact is None else contact.email, body.reference, corrections)


def _canonical(body: RequestIn) -> bytes:
    """Return what makes two bodies the same: what was sent, whatever its order or spacing.

    Fields that were left out stay out, so that a newer version with more fields still knows the body of an older one.
    """
    sent: dict[str, Any] = body.model_dump(mode="json", exclude_unset=True)
    return _ENCODER.encode(sent).encode()
