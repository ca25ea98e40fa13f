"""One try at one task: open its seal, hand it to the engine, turn the verdict into the way the task is put down."""

import random
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from contracts.exports import ExportReceipt
from contracts.outcomes import Outcome
from contracts.seal import SealedFindings, SealedIdentity, SealedSubject
from habeas.engine import MOST_ATTEMPTS, Again, LeaseLost, Park, Settled, Verdict
from habeas.engine import work as carry
from habeas.vocabulary import Action, AttentionReason, Phase
from services.chassis.clock import Clock
from services.chassis.crypto.seal import BrokenSeal, kid_in, seal, unseal
from services.chassis.faultpoints import faultpoint
from services.chassis.log import describe, get_logger
from services.connectors.domain.backoff import SHORTEST, pause
from services.connectors.domain.claimed import Answered, Claimed, Ending, PutDown, lines_of
from services.connectors.host.exports import EXPORTS_BUSY, Place
from services.connectors.host.holds import Holds
from services.connectors.host.ledger import DatabaseLedger
from services.connectors.host.served import Served

log = get_logger(__name__)

UNREADABLE_KID = "unreadable"
HOST_DEFECT = "host_defect"
CREDENTIALS_REPLACED = "credentials_replaced"
STORE_PATIENCE = 8  # pauses of an export that can not be stored, two minutes or so, until a person is told


async def work_on(
    task: Claimed,
    served: Served,
    ledger: DatabaseLedger,
    clock: Clock,
    *,
    holds: Holds,
    failing_attention: float,
    place: Place | None = None,
    replaced: Callable[[Served], Awaitable[bool]] | None = None,
) -> None:
    """Work on `task` until it is settled or put down; what it exports goes to `place`, what it must keep to `holds`.

    Where the vendor refuses our credentials and `replaced` says that there are others by now, they are tried at once.
    What fails for `failing_attention` seconds is shown to a person.
    Raises `LeaseLost`; everything else becomes a retry.
    """
    keep = True
    try:
        ending = await _ending(task, served, ledger, clock, holds, place)
        if _refused_us(ending) and replaced is not None and await replaced(served):
            ending = _again(task, Again(CREDENTIALS_REPLACED, after=0.0), clock)
        keep = not isinstance(ending, Answered)
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001  # of the host itself: it must neither lose the task nor spin on it
        log.error("task.try_failed", task_id=task.id, processor=task.processor, error=describe(error))
        ending, keep = _defect(task, clock), False
    if isinstance(ending, PutDown):
        ending = _lasting(task, ending, clock.now(), timedelta(seconds=failing_attention))
    await ledger.end(ending, keep=keep)
    if isinstance(ending, Answered):
        faultpoint("worker.settled")
        log.debug("task.settled", task_id=task.id, processor=task.processor, headline=ending.outcome.headline.value)
    elif ending.state != "open":
        log.warning(
            "task.parked",
            task_id=task.id,
            processor=task.processor,
            attention=ending.attention,
            reason=ending.reason,
            kid=ending.kid,
        )


async def _ending(
    task: Claimed, served: Served, ledger: DatabaseLedger, clock: Clock, holds: Holds, place: Place | None
) -> Ending:
    if task.cancelled and not task.journal:
        return _answered(task, Settled((), cancelled=True), served)
    try:
        subject = _open(task, served)
        exports = place.attempt(task, subject, ledger) if place is not None and task.action == Action.EXPORT else None
    except BrokenSeal:
        return _unsealable(task)
    before = await holds.ended(task, task.follows) if task.follows is not None else None
    if isinstance(before, Again):
        return _again(task, before, clock)
    if isinstance(before, Answered):
        return before
    async with exports or nullcontext():
        verdict = await carry(
            task.task(subject),
            processor=served.processor,
            manifest=served.manifest,
            ledger=ledger,
            clock=clock,
            attempt=task.attempt,
            before_call=served.limit.wait,
            exports=exports,
            max_passes=task.max_passes,
            held=None if before is None else before.held,
        )
    ending = _put_down(task, verdict, served, clock)
    if isinstance(ending, Answered) and task.action == Action.ERASE:
        ending = holds.with_holds(task, ending, ledger.stored(), before)
    return _call_for_help(task, ending) if exports is not None and exports.away else ending


def _put_down(task: Claimed, verdict: Verdict, served: Served, clock: Clock) -> Ending:
    match verdict:
        case Settled():
            return _answered(task, verdict, served)
        case Again():
            return _again(task, verdict, clock)
        case Park():
            return _parked(task, verdict)


def _parked(task: Claimed, park: Park) -> PutDown:
    return PutDown(
        state="parked",
        after=0.0,
        attempt=task.attempt,
        retries=0,
        phase=Phase.WORKING,
        reason=park.reason[:64],
        attention=park.attention,
    )


def _refused_us(ending: Ending) -> bool:
    return isinstance(ending, PutDown) and ending.attention is AttentionReason.CREDENTIALS_REJECTED


def _call_for_help(task: Claimed, ending: Ending) -> Ending:
    """Have a person look at a store that stays away, while the task tries on by itself."""
    if isinstance(ending, PutDown) and task.retries >= STORE_PATIENCE:
        return replace(ending, attention=AttentionReason.KEEPS_FAILING)
    return ending


def _lasting(task: Claimed, ending: PutDown, now: datetime, patience: timedelta) -> PutDown:
    """Remember since when all tries have failed, and have a person look at it in the end, while they go on."""
    if ending.phase is not Phase.RETRYING or ending.reason == EXPORTS_BUSY:  # which is a turn that has not come
        return ending
    since = task.failing_since or now
    attention = AttentionReason.KEEPS_FAILING if now - since >= patience else ending.attention
    return replace(ending, failing_since=since, attention=attention)


def _defect(task: Claimed, clock: Clock) -> PutDown:
    """Try again a few times after a defect of the host itself, then ask a person."""
    if task.attempt >= MOST_ATTEMPTS:
        return _parked(task, Park(AttentionReason.KEEPS_FAILING, HOST_DEFECT))
    return _again(task, Again(HOST_DEFECT, counts=True), clock)


def _open(task: Claimed, served: Served) -> SealedSubject:
    """Return what the seal holds; raise `BrokenSeal`, also when it was made for another task."""
    try:
        subject = SealedSubject.model_validate_json(_unsealed(task, served))
    except ValidationError:
        raise BrokenSeal from None
    if subject.task != task.id:
        raise BrokenSeal
    return subject


def _unsealed(task: Claimed, served: Served) -> bytes:
    for keys in served.enrolment.keys[:-1]:
        try:
            return unseal(keys, task.seal)
        except BrokenSeal:
            continue  # it may be under an older version
    return unseal(served.enrolment.keys[-1], task.seal)


def _answered(task: Claimed, settled: Settled, served: Served) -> Answered:
    findings = None
    if task.action == Action.RESOLVE and settled.identities:
        identities = tuple(SealedIdentity(type=one.type, value=one.value) for one in settled.identities)
        findings = seal(served.keys, SealedFindings(task=task.id, identities=identities))
    return Answered(
        outcome=Outcome.of(lines_of(settled.lines), complete=settled.complete),
        cancelled=settled.cancelled,
        effects=settled.effects,
        attempts=task.tries,
        findings=findings,
        export=None if settled.export is None else ExportReceipt(**asdict(settled.export)),
    )


def _again(task: Claimed, again: Again, clock: Clock) -> PutDown:
    chosen = again.after is None
    draw = random.random()  # noqa: S311  # jitter, not a secret
    after = pause(task.retries, draw=draw, now=clock.now(), due_at=task.due_at) if again.after is None else again.after
    after = max(after, SHORTEST)
    return PutDown(
        state="open",
        after=after,
        attempt=task.attempt + (1 if again.counts else 0),
        retries=task.retries + 1 if chosen else 0,
        phase=again.phase,
        reason=again.reason[:64],
    )


def _unsealable(task: Claimed) -> PutDown:
    try:
        kid = kid_in(task.seal)[:64]
    except BrokenSeal:
        kid = UNREADABLE_KID
    return PutDown(
        state="unsealable",
        after=0.0,
        attempt=task.attempt,
        retries=0,
        phase=None,
        reason="unsealable",
        attention=AttentionReason.UNSEALABLE,
        kid=kid,
    )
