"""Sets a request aside that can not be planned: its batch goes on without it, a person is told, it is tried again."""

from datetime import timedelta

from habeas.vocabulary import AttentionReason
from services.chassis.log import describe, get_logger
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.journal import Journal
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.subject_turns import LostRace
from services.orchestrator.handlers.workspace import Workspace

log = get_logger(__name__)

# How long a request that could not be planned is left alone before it is tried again.
TRY_AGAIN = timedelta(minutes=1)
# A race that was lost is over as soon as the winner has committed.
RACE_OVER = timedelta(seconds=1)


async def set_aside(deps: Dependencies, request_id: str, error: Exception) -> None:
    """Have a request planned later, in a transaction of its own; whatever was being done with it was rolled back.

    Where `error` is more than a lost race, it shows that it needs a person. One that somebody else holds is left alone.
    """
    now = deps.clock.now()
    lost = isinstance(error, LostRace)
    async with deps.database.transaction() as connection:
        work = Workspace(connection)
        await work.lock([request_id], wait=False)
        request = work.requests.get(request_id)
        if request is None:
            return
        request.wake_planner(now + (RACE_OVER if lost else TRY_AGAIN))
        if not lost:
            why = describe(error)
            Journal(Messages(deps), work, now).call_for_help(request, AttentionReason.CANNOT_BE_PLANNED, why=why)
        work.touch(request)
        await work.save()
    if lost:
        log.info("request.lost_race", request_id=request_id)
    else:
        log.error("request.cannot_be_planned", request_id=request_id, error=describe(error))
        deps.wakes.relay.set()
