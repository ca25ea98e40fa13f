"""A request's life in every order that a state machine thinks of: what must never happen does not, and it ends."""

from collections import deque
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from habeas.vocabulary import Action, IdentityType, RequestState, TaskState
from services.orchestrator.domain.errors import NotAllowed
from services.orchestrator.domain.planning import WITH_EFFECTS, Standing
from services.orchestrator.domain.request import FOLLOWS
from services.orchestrator.domain.task import ProcessorTask
from tests.unit.services.orchestrator.domain.office import CUSTOMER, EMAIL, NAMES, PROCESSORS, Office
from tests.unit.services.orchestrator.domain.papers import Case, Command, verified

T = TypeVar("T")
# Nothing leads to these yet: no identity check of our own, no approval, no release, no ground for refusing.
NOT_BUILT = {
    RequestState.AWAITING_IDENTITY,
    RequestState.AWAITING_APPROVAL,
    RequestState.AWAITING_RELEASE,
    RequestState.REFUSED,
    RequestState.LAPSED,
    RequestState.MERGED,
}
ORDER = {state: place for place, state in enumerate(TaskState)}
PICK = st.integers(0, 99)


class Life(RuleBasedStateMachine):
    """Files, plans, sends, answers, doubles, delays, cancels, skips, retries and retires, in any order."""

    @initialize(cooling_off=st.booleans(), served=st.sets(st.sampled_from(NAMES)))
    def open(self, cooling_off: bool, served: set[str]) -> None:
        self.office = Office(PROCESSORS, cooling_off=cooling_off)
        self.filed: list[str] = []
        self.ended: dict[str, tuple[RequestState, str | None]] = {}
        self.seen: dict[str, RequestState] = {}
        self.versions: dict[str, int] = {}
        self.settled: dict[str, tuple[Any, ...]] = {}
        self.places: dict[str, int] = {}
        for name in sorted(served):
            self.office.announce(name)
        self.file({EMAIL})

    @precondition(lambda self: len(self.filed) < 3)
    @rule(types=st.sampled_from([{EMAIL}, {CUSTOMER}, {EMAIL, CUSTOMER}]))
    def file(self, types: set[IdentityType]) -> None:
        self.filed.append(self.office.file(types).request.id)

    @precondition(lambda self: self.unserved())
    @rule(which=PICK)
    def announce(self, which: int) -> None:
        self.office.announce(pick(self.unserved(), which))

    @rule(which=PICK, send=st.booleans())
    def plan(self, which: int, send: bool) -> None:
        case = self.case(which)
        self.office.plan(case)
        for task in self.ready() if send else ():
            self.office.dispatch(task)

    @precondition(lambda self: self.ready())
    @rule(which=PICK)
    def dispatch(self, which: int) -> None:
        self.office.dispatch(pick(self.ready(), which))

    @precondition(lambda self: self.office.to_hosts)
    @rule(which=PICK, again=st.booleans())
    def arrive(self, which: int, again: bool) -> None:
        """A host takes a message: any of those under way, and perhaps not for the last time."""
        self.office.take(self.of_the_post(self.office.to_hosts, which, again=again))

    @precondition(lambda self: self.office.from_hosts)
    @rule(which=PICK, again=st.booleans())
    def report(self, which: int, again: bool) -> None:
        self.office.record(self.of_the_post(self.office.from_hosts, which, again=again))

    @rule(
        which=PICK,
        what=st.sampled_from(["cancel", "skip", "retry", "retry", "retire", "retire"]),
        often=st.integers(0, 4),
    )
    def meddle(self, which: int, what: str, often: int) -> None:
        """Somebody steps in, which is rare: whatever is cancelled or skipped at once never sees the rest of life."""
        if often == 0:
            getattr(self, what)(which)

    def cancel(self, which: int) -> None:
        case = self.case(which)
        sent = any(task.action in WITH_EFFECTS and task.was_sent for task in case.tasks.values())
        over = case.request.state.is_terminal and case.request.state is not RequestState.CANCELLED
        if over or sent:
            with pytest.raises(NotAllowed):
                self.office.cancel(case)
        else:
            self.office.cancel(case)

    def skip(self, which: int) -> None:
        if self.open_tasks():
            assert self.office.skip(pick(self.open_tasks(), which))

    def retry(self, which: int) -> None:
        """An operator, or the timer of silence, has an unsettled task sent again."""
        if self.sent():
            self.office.dispatch(pick(self.sent(), which))

    def retire(self, which: int) -> None:
        """A supplier goes while it owes answers."""
        if self.sent():
            self.office.retire(pick(self.sent(), which).processor)

    @invariant()
    def what_was_filed_is_there_for_ever(self) -> None:
        assert list(self.office.cases) == self.filed

    @invariant()
    def an_end_is_one_and_never_changes(self) -> None:
        for name, case in self.office.cases.items():
            end = (case.request.state, case.request.outcome)
            if case.request.state.is_terminal:
                assert self.ended.setdefault(name, end) == end
            else:
                assert name not in self.ended

    @invariant()
    def a_request_moves_as_it_may_and_counts_its_moves(self) -> None:
        for name, case in self.office.cases.items():
            before = self.seen.get(name, RequestState.RECEIVED)
            moves = distance(before, case.request.state)
            assert moves is not None, f"{before} to {case.request.state}"
            assert case.request.version == self.versions.get(name, 1) + moves
            self.seen[name], self.versions[name] = case.request.state, case.request.version

    @invariant()
    def a_task_goes_forward_and_settles_once(self) -> None:
        for task in self.tasks():
            assert ORDER[task.state] >= self.places.get(task.id, 0)
            self.places[task.id] = ORDER[task.state]
            if task.state.is_final:
                end = (task.state, task.outcome, task.settled_at)
                assert self.settled.setdefault(task.id, end) == end
            else:
                assert task.id not in self.settled

    @invariant()
    def every_effect_is_one_and_was_asked_for(self) -> None:
        for name, times in self.office.effects.items():
            case = self.office.case_of(name)
            assert times == 1
            assert case.tasks[name].was_sent
            assert not case.cancel_acked, "something was changed although the caller was told that it is called off"

    @invariant()
    def what_has_ended_leaves_nothing_open(self) -> None:
        for case in self.office.cases.values():
            if case.request.state.is_terminal:
                assert all(task.state.is_final for task in case.tasks.values())

    @invariant()
    def what_is_completed_was_answered_everywhere(self) -> None:
        for case in self.office.cases.values():
            if case.request.state is not RequestState.COMPLETED:
                continue
            assert case.tasks
            for task in case.tasks.values():
                host = self.office.hosts.get(task.id)
                believed = (
                    host is not None and host.outcome is not None and task.outcome == host.outcome.model_dump_json()
                )
                if task.action in WITH_EFFECTS and believed and task.state is TaskState.SETTLED:
                    assert self.office.effects[task.id] == 1

    @invariant()
    def the_timeline_is_whole(self) -> None:
        for case in self.office.cases.values():
            assert verified(case.entries, case.request.timeline_hash)
            assert len({entry.event_id for entry, _ in case.entries}) == len(case.entries)

    def teardown(self) -> None:
        """Once the post is delivered and nothing new happens, every request has ended or says what it waits for.

        The host of a retired processor is gone: it answers nothing any more.
        """
        if not hasattr(self, "office"):
            return
        self.office.rest(self.check)
        for case in self.office.cases.values():
            if case.request.state.is_terminal:
                continue
            needy = [task for task in case.tasks.values() if task.attention is not None]
            nobody = all(one.standing is Standing.RETIRED for one in self.office.candidates.values())
            assert needy or (nobody and not case.tasks), "it waits, and nobody is told for what"

    def check(self) -> None:
        """Check all that holds after every step of the machine in the midst of a longer one."""
        self.what_was_filed_is_there_for_ever()
        self.an_end_is_one_and_never_changes()
        self.a_request_moves_as_it_may_and_counts_its_moves()
        self.a_task_goes_forward_and_settles_once()
        self.every_effect_is_one_and_was_asked_for()
        self.what_has_ended_leaves_nothing_open()
        self.what_is_completed_was_answered_everywhere()
        self.the_timeline_is_whole()

    # What there is

    def case(self, which: int) -> Case:
        return pick(list(self.office.cases.values()), which)

    def states(self) -> list[RequestState]:
        return [case.request.state for case in self.office.cases.values()]

    def tasks(self) -> list[ProcessorTask]:
        return [task for case in self.office.cases.values() for task in case.tasks.values()]

    def ready(self) -> list[ProcessorTask]:
        return [task for task in self.tasks() if task.state is TaskState.READY and self.in_progress(task)]

    def in_progress(self, task: ProcessorTask) -> bool:
        return self.office.case_of(task.id).request.state is RequestState.IN_PROGRESS

    def unserved(self) -> list[str]:
        return [one.id for one in self.office.candidates.values() if one.standing is Standing.NEVER_ANNOUNCED]

    def open_tasks(self) -> list[ProcessorTask]:
        return [task for task in self.tasks() if task.is_open]

    def sent(self) -> list[ProcessorTask]:
        return [task for task in self.open_tasks() if task.was_sent]

    def of_the_post(self, post: list[Any], which: int, *, again: bool) -> Any:
        message = pick(post, which)
        if not again:
            post.remove(message)
        return message


def pick(some: list[T], which: int) -> T:
    return some[which % len(some)]


def distance(start: RequestState, goal: RequestState) -> int | None:
    """Return the fewest moves from one state to another, None when there is no way."""
    ways, seen = deque([(start, 0)]), {start}
    while ways:
        state, moves = ways.popleft()
        if state is goal:
            return moves
        for after in FOLLOWS[state] - seen:
            seen.add(after)
            ways.append((after, moves + 1))
    return None


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)


def test_every_documented_state_is_reached_as_far_as_built() -> None:
    requests: set[RequestState] = set()
    tasks: set[TaskState] = set()

    class Watched(Office):
        def note(self, case: Case, *args: Any, **more: Any) -> None:
            super().note(case, *args, **more)
            requests.add(case.request.state)
            tasks.update(task.state for task in case.tasks.values())

    completed(Watched)
    cancelled_while_resolving(Watched)
    assert requests == set(RequestState) - NOT_BUILT
    assert tasks == set(TaskState)
    assert set(FOLLOWS) == set(RequestState)
    assert all(distance(RequestState.RECEIVED, state) is not None for state in RequestState)
    assert {state for state, after in FOLLOWS.items() if not after} == {one for one in RequestState if one.is_terminal}


def completed(kind: type[Office]) -> None:
    """Live through cooling-off, resolving, waiting, retrying and completion."""
    office = kind(PROCESSORS, cooling_off=True)
    for name in NAMES:
        office.announce(name)
    case = office.file({EMAIL})
    office.rest()
    assert case.request.state is RequestState.COMPLETED


def cancelled_while_resolving(kind: type[Office]) -> None:
    """Call a request off while hosts look: what was not sent ends at once, the rest when the hosts have answered."""
    office = kind(PROCESSORS)
    office.announce("crm")
    case = office.file({EMAIL})
    office.plan(case)
    for task in case.of(Action.RESOLVE):
        office.dispatch(task)
    office.cancel(case)
    office.take(Command(case.of(Action.RESOLVE)[0].id, "cancelled", 1))
    office.record(office.from_hosts.pop())
    office.plan(case)
    assert case.request.state is RequestState.CANCELLED
