"""Decides which tasks a request needs next: resolve rounds to a fixed point, then the action at every processor."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from habeas.vocabulary import Action, IdentityType, Right, TaskState
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
    RETIRED = "retired"


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
    give_up: Sequence[str] = ()  # ids of open tasks whose processor was retired
    round: int = 0
    done: bool = False
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

    `types` are the identity types known by now; `news` the resolvers that were asked before others learned something
    that they could look up; `fields` what a rectification corrects.
    """
    known = {one.id: one for one in candidates}
    _check_order(known.values())
    if not tasks and all(one.standing is Standing.RETIRED for one in known.values()):
        return Plan(empty=True)
    retired = {one.id for one in known.values() if one.standing is Standing.RETIRED}
    give_up = [one.id for one in tasks if one.is_open and one.processor in retired]
    still = [one for one in tasks if one.is_open and one.processor not in retired]
    scene = _Scene(ACTION_OF[right], frozenset(types), known, tasks, still, frozenset(news), frozenset(fields))
    resolves = _next_resolves(scene)
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
    )


def _next_resolves(scene: _Scene) -> list[NewTask]:
    """Return the resolve tasks to add: who was never asked, and, once a round is over, who has news; three rounds.

    A resolver that is announced late joins the round at hand; one that has begun its action is not asked any more.
    """
    rounds: dict[str, int] = {}
    for task in scene.tasks:
        if task.action is Action.RESOLVE:
            rounds[task.processor] = max(task.round, rounds.get(task.processor, 0))
    current = max(rounds.values(), default=0)
    running = any(task.action is Action.RESOLVE for task in scene.open_tasks)
    found = []
    for one in scene.candidates.values():
        if one.standing is not Standing.SERVED or Action.RESOLVE not in one.serves or not one.accepts & scene.types:
            continue
        begun = scene.of(one.id)
        if begun is not None and begun.state is not TaskState.WAITING:
            continue
        if one.id not in rounds:
            number = max(current, 1)
        elif one.id in scene.news and not running and current < MAX_ROUNDS:
            number = current + 1
        else:
            continue
        found.append(NewTask(one.id, Action.RESOLVE, number, TaskState.READY, one.manifest_version))
    return found


def _actions(scene: _Scene, about_to_resolve: set[str]) -> list[NewTask]:
    """Return what becomes of the action at each processor whose task is missing or waits, as far as it is decided.

    A processor is held back while an open resolve may still find identities that it accepts. A resolver is held back
    while anybody resolves: a later round may need to ask it again, which it could not answer once erased.
    """
    resolving = about_to_resolve | {one.processor for one in scene.open_tasks if one.action is Action.RESOLVE}
    may_come: set[IdentityType] = set()
    for processor in resolving:
        may_come |= scene.candidates[processor].resolves
    found = []
    for one in scene.candidates.values():
        task = scene.of(one.id)
        if one.standing is Standing.RETIRED or (task is not None and task.state is not TaskState.WAITING):
            continue
        if one.standing is Standing.NEVER_ANNOUNCED:
            found.append(NewTask(one.id, scene.action, 0, TaskState.WAITING, reason="never_announced"))
        elif not (one.accepts & may_come or (resolving and one.resolves)):
            found.append(_action_at(scene, one))
    return found


def _action_at(scene: _Scene, one: Candidate) -> NewTask:
    if scene.action not in one.serves:
        return NewTask(one.id, scene.action, 0, TaskState.SETTLED, one.manifest_version, reason="right_not_served")
    if not one.accepts & scene.types:
        return NewTask(one.id, scene.action, 0, TaskState.SETTLED, one.manifest_version, reason="no_accepted_identity")
    if scene.action is Action.RECTIFY and not one.fields & scene.fields:
        return NewTask(one.id, scene.action, 0, TaskState.SETTLED, one.manifest_version, reason=UNKNOWN_FIELD)
    state = TaskState.WAITING if _held(scene, one) else TaskState.READY
    return NewTask(one.id, scene.action, 0, state, one.manifest_version)


def _held(scene: _Scene, one: Candidate) -> bool:
    """Whether a processor that must come first has not settled its action."""
    for other in scene.candidates.values():
        if other.kind not in one.after or other.standing is Standing.RETIRED:
            continue
        task = scene.of(other.id)
        if task is None or task.is_open:
            return True
    return False


def _check_order(candidates: Iterable[Candidate]) -> None:
    """Raise `CyclicOrder` with the path when `after` leads back to where it began."""
    after: dict[str, set[str]] = {}
    for one in candidates:
        if one.standing is not Standing.RETIRED and one.after:
            after.setdefault(one.kind, set()).update(one.after)
    done: set[str] = set()
    for start in after:
        _walk(start, after, [], done)


def _walk(kind: str, after: Mapping[str, set[str]], path: list[str], done: set[str]) -> None:
    if kind in path:
        raise CyclicOrder(" -> ".join([*path[path.index(kind) :], kind]))
    if kind in done or kind not in after:
        return
    for other in sorted(after[kind]):
        _walk(other, after, [*path, kind], done)
    done.add(kind)
