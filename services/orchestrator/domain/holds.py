"""What is kept and when that ends; what a request that follows from the end of a hold has to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.outcomes import Outcome
from habeas.vocabulary import Action, Disposition
from services.orchestrator.domain.planning import Candidate, Plan, Standing
from services.orchestrator.domain.task import ProcessorTask

# How often in a row the end of one hold may be followed by another: then somebody has to look.
MOST_IN_A_ROW = 3
# What was kept once more although its day had come is not asked about again sooner than this.
PATIENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hold:
    """One line of a task's outcome that keeps data. `until` is the first day on which it may go, None if unknown."""

    ordinal: int
    category: str
    ground: str | None
    until: date | None
    count: int
    due_at: datetime | None


def holds_of(outcome: Outcome, *, zone: str, now: datetime) -> list[Hold]:
    """Return the holds that a task's outcome places, each with the moment at which it ends."""
    return [
        Hold(ordinal, line.category, line.ground, line.until, line.count, _due_at(line.until, zone, now))
        for ordinal, line in enumerate(outcome.lines)
        if line.disposition is Disposition.RETAINED
    ]


def end_of_hold(until: date, zone: str) -> datetime:
    """Return the moment in UTC at which the day `until` has begun for the controller, in `zone` (IANA), and in UTC.

    Connectors count days in UTC: were they asked where only the controller's day has begun, they would keep it on.
    """
    begins = (datetime.combine(until, time(), tzinfo=tz) for tz in (ZoneInfo(zone), UTC))
    return max(one.astimezone(UTC) for one in begins)


def _due_at(until: date | None, zone: str, now: datetime) -> datetime | None:
    if until is None:
        return None
    ends = end_of_hold(until, zone)
    return ends if ends > now else now + PATIENCE


def is_follow_up(tasks: Iterable[ProcessorTask]) -> bool:
    """Whether a request with these tasks follows from the end of a hold."""
    return any(task.follows is not None for task in tasks)


def carry_on(tasks: Sequence[ProcessorTask], candidates: Iterable[Candidate]) -> Plan:
    """Return what becomes of a follow-up's tasks, which were all known when it was opened: nothing is ever added.

    No resolver is asked and no further processor: the items are known where they are kept.
    """
    known = {one.id: one for one in candidates}
    still = [one for one in tasks if one.is_open]
    ready, give_up, settle = [], [], {}
    for task in still:
        one = known.get(task.processor)
        if one is None or one.standing is Standing.RETIRED:
            give_up.append(task.id)
        elif task.was_sent or one.standing.unknown:
            continue
        elif Action.ERASE not in one.serves:
            settle[task.id] = "right_not_served"
        else:
            ready.append(task.id)
    over = {*give_up, *settle}
    return Plan(ready=ready, settle=settle, give_up=give_up, done=all(one.id in over for one in still))
