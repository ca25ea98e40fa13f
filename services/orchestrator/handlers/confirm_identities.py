"""An operator's word that what the resolvers found belongs to the subject: the request goes on."""

from habeas.vocabulary import AttentionReason
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.workspace import Workspace


async def confirm_identities(
    connection: Connection, *, request_id: str, reason: str, actor: str, deps: Dependencies
) -> None:
    """Confirm what stopped a request with `ambiguous_identity`; cancelling it is the other way out.

    It vouches for what is known now: whatever else is found where a person has one value asks again.
    Raises `NotFound`, or `NotAllowed` for a request that is not stopped by this. `reason` stays on the timeline.
    """
    work = Workspace(connection)
    await work.lock([request_id])
    request = work.requests.get(request_id)
    if request is None:
        raise NotFound
    asked = request.attention is not None and request.attention["reason"] == AttentionReason.AMBIGUOUS_IDENTITY.value
    if not asked:
        raise NotAllowed("nothing_to_confirm", "The request does not wait for a word on resolved identities.")
    request.identities_confirmed = True
    request.needs_nothing()
    request.note(
        "identities.confirmed",
        event_id=Messages(deps).event_id(request.id, "identities.confirmed", request.timeline_seq + 1),
        at=deps.clock.now(),
        actor=actor,
        detail={"reason": reason},
    )
    request.wake_planner()
    work.touch(request)
    await work.save()
