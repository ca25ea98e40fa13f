"""What a batch of messages means for the tasks that are known: right under duplicates, delays and any order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.message import Message
from contracts.tasks import TaskCancelled, TaskClosed, TaskDispatched

ENDED = ("settled", "closed")


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a task."""

    state: str
    dispatch_no: int
    cancelled: bool = False


@dataclass(slots=True)
class Wanted:
    """All that a batch says of one task. `dispatch` is its latest dispatch, `first` any of its messages."""

    first: TaskDispatched | TaskCancelled | TaskClosed
    dispatch_no: int = 0
    dispatch: TaskDispatched | None = None
    traceparent: str | None = None
    cancelled: bool = False
    closed: bool = False


@dataclass(slots=True)
class Decisions:
    """What is to be done, each list in the order of task ids.

    `store` are new tasks, `renew` known ones that were dispatched again, `bury` those that were over before they
    came, `repeat` those whose answer is sent again for a later dispatch.
    """

    store: list[Wanted] = field(default_factory=list)
    renew: list[Wanted] = field(default_factory=list)
    cancel: list[Wanted] = field(default_factory=list)
    close: list[Wanted] = field(default_factory=list)
    bury: list[Wanted] = field(default_factory=list)
    repeat: list[Wanted] = field(default_factory=list)


def gather(messages: Iterable[tuple[Message, str | None]], *, now: datetime) -> tuple[dict[str, Wanted], int]:
    """Return what `messages` (each with its trace context) say by task id, sorted, and how many came too late."""
    wanted: dict[str, Wanted] = {}
    late = 0
    for message, traceparent in messages:
        if not isinstance(message, TaskDispatched | TaskCancelled | TaskClosed):
            continue
        if not isinstance(message, TaskClosed) and message.not_after < now:
            late += 1
            continue
        one = wanted.setdefault(message.task_id, Wanted(message))
        one.dispatch_no = max(one.dispatch_no, message.dispatch_no)
        match message:
            case TaskDispatched():
                if one.dispatch is None or one.dispatch.dispatch_no < message.dispatch_no:
                    one.dispatch, one.traceparent = message, traceparent
            case TaskCancelled():
                one.cancelled = True
            case TaskClosed():
                one.closed = True
    return dict(sorted(wanted.items())), late


def decide(wanted: Mapping[str, Wanted], known: Mapping[str, Known]) -> Decisions:
    """Return what is to be done about `wanted`, given what is `known`; what would change nothing is left out."""
    decisions = Decisions()
    for task_id, one in wanted.items():
        stored = known.get(task_id)
        for chosen in _unknown(one, decisions) if stored is None else _stored(one, stored, decisions):
            chosen.append(one)
    return decisions


def _unknown(one: Wanted, decisions: Decisions) -> Sequence[list[Wanted]]:
    if one.closed or one.dispatch is None:
        return (decisions.bury,)
    return (decisions.store,)


def _stored(one: Wanted, stored: Known, decisions: Decisions) -> Sequence[list[Wanted]]:
    if stored.state in ENDED:
        again = (decisions.repeat,) if one.dispatch_no > stored.dispatch_no and not one.closed else ()
        return (decisions.close,) if one.closed and stored.state != "closed" else again
    if one.closed:
        return (decisions.close,)
    if one.dispatch is not None and one.dispatch.dispatch_no > stored.dispatch_no:
        return (decisions.renew,)
    return (decisions.cancel,) if one.cancelled and not stored.cancelled else ()
