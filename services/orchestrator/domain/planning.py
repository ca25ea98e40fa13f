"""Decides which tasks a request needs next: resolve rounds to a fixed point, then the action at every processor."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from habeas.vocabulary import NO_ACCEPTED_IDENTITY, Action, IdentityType, Right, TaskState
from services.orchestrator.domain.settlement import UNKNOWN_FIELD
from services.orchestrator.domain.task import ProcessorTask

MAX_ROUNDS = 3

ACTION_OF: dict[Right, Action] = {
    Right.ERASURE: Action.ERASE,
    Right.ACCESS: Action.EXPORT,
    Right.RECTIFICATION: Action.RECTIFY,
}
OFFERED = frozenset(ACTION_OF)

# Once a task of one of these was sent, a request can no longer be cancelled.
WITH_EFFECTS = frozenset({Action.ERASE, Action.RECTIFY, Action.RESTRICT, Action.LIFT, Action.STOP})


class CyclicOrder(ValueError):
    """Manifests ask to come after each other; the message is the path."""


class Standing(Enum):
    """What the orchestrator knows of an enrolled processor."""

    SERVED = "served"
    NEVER_ANNOUNCED = "never_announced"
    HELD = "manifest_waits"  # announced, but its first manifest has not taken effect
    RETIRED = "retired"

    @property
    def unknown(self) -> bool:
        """Whether no manifest is in effect: then the value is the reason why a person is needed."""
        return self in (Standing.NEVER_ANNOUNCED, Standing.HELD)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A processor as planning sees it. Without an announcement its manifest is not known."""

    id: str
    kind: str
    standing: Standing
    manifest_version: int | None = None
    accepts: frozenset[IdentityType] = frozenset()
    resolves: frozenset[IdentityType] = frozenset()
    serves: frozenset[Action] = frozenset()
    after: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()  # keys of the data register that it can correct


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to add. `reason` says why it needs no dispatch (settled at once) or a person (waiting)."""

    processor: str
    action: Action
    round: int
    state: TaskState
    manifest_version: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now. `done`: nothing is open and nothing is to be added."""

    add: Sequence[NewTask] = ()
    ready: Sequence[str] = ()  # ids of waiting tasks that may go
    settle: Mapping[str, str] = field(default_factory=dict)  # ids of waiting tasks that have nothing to do, and why
    give_up: Sequence[str] = ()  # ids of open tasks whose processor was retired, or is none of the candidates
    round: int = 0
    done: bool = False
    cut_short: bool = False  # somebody had news after the last round, and is not asked about them any more
    empty: bool = False  # nothing is enrolled: never a reason to be done


@dataclass(frozen=True, slots=True)
class _Scene:
    action: Action
    types: frozenset[IdentityType]
    candidates: Mapping[str, Candidate]
    tasks: Sequence[ProcessorTask]
    open_tasks: Sequence[ProcessorTask]
    news: frozenset[str]
    fields: frozenset[str]

    def of(self, processor: str) -> ProcessorTask | None:
        """Return the action's task at a processor."""
        return next((one for one in self.tasks if one.processor == processor and one.action is self.action), None)


def plan(
    *,
    right: Right,
    types: Iterable[IdentityType],
    candidates: Iterable[Candidate],
    tasks: Sequence[ProcessorTask],
    news: Iterable[str] = (),
    fields: Iterable[str] = (),
) -> Plan:
    """Return what to add, given all tasks so far. Calling it again after nothing happened adds nothing.

    `candidates` are the processors of the request's mode; `types` are the identity types known by now; `news` the
    resolvers that were asked before others learned something that they could look up; `fields` what a rectification
    corrects.
    """
    known = {one.id: one for one in candidates}
    _check_order(known.values())
    if not tasks and all(one.standing is Standing.RETIRED for one in known.values()):
        return Plan(empty=True)
    there = {one.id for one in known.values() if one.standing is not Standing.RETIRED}
    give_up = [one.id for one in tasks if one.is_open and one.processor not in there]
    still = [one for one in tasks if one.is_open and one.processor in there]
    scene = _Scene(ACTION_OF[right], frozenset(types), known, tasks, still, frozenset(news), frozenset(fields))
    resolves, cut_short = _next_resolves(scene)
    actions = _actions(scene, {one.processor for one in resolves})
    add = [*resolves, *(one for one in actions if scene.of(one.processor) is None)]
    moved = {task.id: one for one in actions if (task := scene.of(one.processor)) is not None}
    settle = {task: one.reason or "" for task, one in moved.items() if one.state is TaskState.SETTLED}
    ready = [task for task, one in moved.items() if one.state is TaskState.READY]
    return Plan(
        add=add,
        ready=ready,
        settle=settle,
        give_up=give_up,
        round=max([*(one.round for one in tasks), *(one.round for one in resolves)], default=0),
        done=all(one.id in settle for one in still) and all(one.state is TaskState.SETTLED for one in add),
        cut_short=cut_short,
    )


def _next_resolves(scene: _Scene) -> tuple[list[NewTask], bool]:
    """Return the resolve tasks to add: who was never asked, and, once a round is over, who has news; three rounds.

    Also whether somebody has news after the last round, so that the search ends before it has found everything.
    A resolver that is announced late joins the round at hand; one that has begun its action is not asked any more.
    """
    rounds: dict[str, int] = {}
    for task in scene.tasks:
        if task.action is Action.RESOLVE:
            rounds[task.processor] = max(task.round, rounds.get(task.processor, 0))
    current = max(rounds.values(), default=0)
    running = any(task.action is Action.RESOLVE for task in scene.open_tasks)
    found, cut_short = [], False
    for one in scene.candidates.values():
        if one.standing is not Standing.SERVED or Action.RESOLVE not in one.serves or not one.accepts & scene.types:
            continue
        begun = scene.of(one.id)
        if begun is not None and begun.state is not TaskState.WAITING:
            continue
        if one.id not in rounds:
            number = max(current, 1)
        elif one.id not in scene.news or running:
            continue
        elif current < MAX_ROUNDS:
            number = current + 1
        else:
            cut_short = True
            continue
        found.append(NewTask(one.id, Action.RESOLVE, number, TaskState.READY, one.manifest_version))
    return found, cut_short


def _actions(scene: _Scene, about_to_resolve: set[str]) -> list[NewTask]:
    """Return what becomes of the action at each processor whose task is missing or waits, as far as it is decided.

    A processor is held back while an open resolve may still find identities that it accepts. A resolver is held back
    while anybody resolves: a later round may need to ask it again, which it could not answer once erased.
    """
    resolving = about_to_resolve | {one.processor for one in scene.open_tasks if one.action is Action.RESOLVE}
    may_come: set[IdentityType] = set()
    for processor in resolving:
        may_come |= scene.candidates[processor].resolves
    found: dict[str, NewTask] = {}
    for one in scene.candidates.values():
        task = scene.of(one.id)
        if one.standing is Standing.RETIRED or (task is not None and task.state is not TaskState.WAITING):
            continue
        if one.standing.unknown:
            found[one.id] = NewTask(one.id, scene.action, 0, TaskState.WAITING, reason=one.standing.value)
        elif not (one.accepts & may_come or (resolving and one.resolves)):
            found[one.id] = _action_at(scene, one)
    # Who has nothing to do is over at once, and holds up nobody: no report on it would come to let the others go.
    over = {name for name, new in found.items() if new.state is TaskState.SETTLED}
    return [
        replace(new, state=TaskState.WAITING)
        if new.state is TaskState.READY and _held(scene, scene.candidates[name], over)
        else new
        for name, new in found.items()
    ]


def _action_at(scene: _Scene, one: Candidate) -> NewTask:
    if scene.action not in one.serves:
        return NewTask(one.id, scene.action, 0, TaskState.SETTLED, one.manifest_version, reason="right_not_served")
    if not one.accepts & scene.types:
        return NewTask(one.id, scene.action, 0, TaskState.SETTLED, one.manifest_version, reason=NO_ACCEPTED_IDENTITY)
    if scene.action is Action.RECTIFY and not one.fields & scene.fields:
        return NewTask(one.id, scene.action, 0, TaskState.SETTLED, one.manifest_version, reason=UNKNOWN_FIELD)
    return NewTask(one.id, scene.action, 0, TaskState.READY, one.manifest_version)


def _held(scene: _Scene, one: Candidate, over: set[str]) -> bool:
    """Whether a processor that must come first has not settled its action; `over` are those that this plan settles."""
    for other in scene.candidates.values():
        if other.kind not in one.after or other.standing is Standing.RETIRED or other.id in over:
            continue
        task = scene.of(other.id)
        if task is None or task.is_open:
            return True
    return False


def _check_order(candidates: Iterable[Candidate]) -> None:
    """Raise `CyclicOrder` with the path when `after` leads back to where it began."""
    order = order_of((one.kind, one.after) for one in candidates if one.standing is not Standing.RETIRED)
    for kind in order:
        if path := circle(kind, order):
            raise CyclicOrder(" -> ".join(path))


def order_of(manifests: Iterable[tuple[str, Iterable[str]]]) -> dict[str, set[str]]:
    """Return after which kinds each kind comes, by the manifests in effect: pairs of a kind and its `after`."""
    order: dict[str, set[str]] = {}
    for kind, after in manifests:
        if after:
            order.setdefault(kind, set()).update(after)
    return order


def circle(kind: str, order: Mapping[str, set[str]]) -> list[str] | None:
    """Return the shortest path on which `kind` would have to come after itself, None when it need not."""
    paths, seen = [[kind]], set[str]()
    for path in paths:
        for other in sorted(order.get(path[-1], ())):
            if other == kind:
                return [*path, kind]
            if other not in seen:
                seen.add(other)
                paths.append([*path, other])
    return None
