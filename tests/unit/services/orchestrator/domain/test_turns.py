"""Turns in every order that a state machine finds: copies first, one at a time, two people apart; all of it ends."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from habeas.vocabulary import Action
from services.orchestrator.domain.planning import WITH_EFFECTS
from services.orchestrator.domain.turns import Asking, Decision, Turns, decide

PROCESSORS = ("crm", "files", "billing")
# Two people; what each is known by.
PEOPLE = {"jane": (b"j1", b"j2", b"j3"), "joe": (b"o1", b"o2", b"o3")}
PICK = st.integers(0, 99)
T = TypeVar("T")


@dataclass
class Task:
    """One action of a request at one processor."""

    request: "Request"
    processor: str
    action: Action
    state: str = "ready"  # sent, settled
    behind: str | None = None

    @property
    def id(self) -> str:
        return f"{self.request.id}/{self.processor}/{self.action}"


@dataclass
class Request:
    """A request about a person of whom not everything is known yet."""

    id: str
    person: str
    action: Action
    known: set[bytes]
    tasks: list[Task] = field(default_factory=list)
    open: bool = True
    begun: bool = False
    waits_for: set[str] = field(default_factory=set)  # requests for a copy that it knew of before it began

    @property
    def changes(self) -> bool:
        return self.action in WITH_EFFECTS


class Counter(RuleBasedStateMachine):
    """Files, learns, sends, settles and cancels in any order, as the orchestrator's tables would have it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[str, Request] = {}
        self.places: list[tuple[bytes, int, str]] = []

    @rule(
        person=st.sampled_from(sorted(PEOPLE)),
        action=st.sampled_from([Action.ERASE, Action.EXPORT, Action.RECTIFY]),
        known=st.sets(st.integers(0, 2), min_size=1),
    )
    def file(self, person: str, action: Action, known: set[int]) -> None:
        if sum(one.open for one in self.requests.values()) == 4:
            return
        name = f"req-{len(self.requests):03}"
        request = Request(name, person, action, {PEOPLE[person][one] for one in known})
        request.tasks = [Task(request, "crm", Action.RESOLVE), *(Task(request, one, action) for one in PROCESSORS)]
        self.requests[name] = request

    @precondition(lambda self: self.opened())
    @rule(which=PICK, what=PICK)
    def learn(self, which: int, what: int) -> None:
        request = pick(self.opened(), which)
        request.known.add(pick(list(PEOPLE[request.person]), what))
        self.take(decide([], self.turns(), [(request.id, frozenset(request.known))]).take)

    @precondition(lambda self: self.ready())
    @rule(which=st.lists(PICK, min_size=1, max_size=5))
    def send(self, which: list[int]) -> None:
        self.dispatch(list({task.id: task for task in (pick(self.ready(), one) for one in which)}.values()))

    @precondition(lambda self: self.sent())
    @rule(which=PICK)
    def settle(self, which: int) -> None:
        task = pick(self.sent(), which)
        task.state = "settled"
        if all(one.state == "settled" for one in task.request.tasks):
            self.end(task.request)

    @precondition(lambda self: any(not one.begun for one in self.opened()))
    @rule(which=PICK)
    def cancel(self, which: int) -> None:
        self.end(pick([one for one in self.opened() if not one.begun], which))

    @invariant()
    def two_people_never_wait_for_each_other(self) -> None:
        for task in self.tasks():
            if task.behind is not None:
                assert self.requests[task.behind].person == task.request.person

    @invariant()
    def nothing_is_changed_while_somebody_waits_for_a_copy_of_it(self) -> None:
        """Of what the request for the copy knew when the other began: what is learned later can not be foreseen."""
        for request in self.opened():
            if request.changes and request.begun:
                assert not any(self.requests[one].open for one in request.waits_for)

    @invariant()
    def nobody_waits_in_a_ring(self) -> None:
        for task in self.tasks():
            seen, at = set(), task.behind
            while at is not None and self.requests[at].open and not self.requests[at].begun:
                assert at not in seen
                seen.add(at)
                at = next((one.behind for one in self.requests[at].tasks if one.state == "ready" and one.behind), None)

    def teardown(self) -> None:
        """Whatever is still to be done gets done, as soon as hosts answer: nobody waits for ever."""
        for _ in range(200):
            for task in self.sent():
                task.state = "settled"
                if all(one.state == "settled" for one in task.request.tasks):
                    self.end(task.request)
            if not self.ready():
                break
            self.dispatch(self.ready())
        assert not self.opened()
        assert self.places == []

    # What the orchestrator does

    def dispatch(self, tasks: list[Task]) -> Decision:
        asking = [
            Asking(one.id, one.request.id, one.processor, one.action, frozenset(one.request.known))
            for one in sorted(tasks, key=lambda one: one.id)
        ]
        decided = decide(asking, self.turns())
        for task in sorted(tasks, key=lambda one: one.id):
            task.behind = decided.behind.get(task.id)
            if task.behind is None:
                self.watch(task)
                task.state = "sent"
        self.take(decided.take)
        return decided

    def take(self, places: Iterable[tuple[bytes, int, str]]) -> None:
        self.places.extend(places)
        assert len({place[:2] for place in self.places}) == len(self.places), "a place was given twice"

    def watch(self, task: Task) -> None:
        """Check what must hold when a task goes, and remember whom its request had to wait for."""
        request = task.request
        if task.action is Action.RESOLVE:
            return
        for other in self.opened():
            if other is not request and other.known & request.known:
                running = [one for one in other.tasks if one.state == "sent" and one.action is not Action.RESOLVE]
                assert task.processor not in {one.processor for one in running}, "two are at one processor"
                if not request.begun:
                    assert not other.begun, "two began"
                    if request.changes and other.action is Action.EXPORT:
                        request.waits_for.add(other.id)
        request.begun = True

    def turns(self) -> Turns:
        turns = Turns(readers={})
        for blind, place, request in sorted(self.places):
            turns.holders.setdefault(blind, {})[place] = request
        turns.readers = {
            blind: {one.id for one in self.opened() if one.action is Action.EXPORT and blind in one.known}
            for some in PEOPLE.values()
            for blind in some
        }
        turns.running = {(one.request.id, one.processor) for one in self.sent() if one.action is not Action.RESOLVE}
        return turns

    def end(self, request: Request) -> None:
        request.open = False
        self.places = [place for place in self.places if place[2] != request.id]
        for task in request.tasks:
            task.state, task.behind = "settled", None

    # What there is

    def opened(self) -> list[Request]:
        return [one for one in self.requests.values() if one.open]

    def tasks(self) -> list[Task]:
        return [task for request in self.opened() for task in request.tasks]

    def ready(self) -> list[Task]:
        return [task for task in self.tasks() if task.state == "ready"]

    def sent(self) -> list[Task]:
        return [task for task in self.tasks() if task.state == "sent"]


def pick(some: list[T], which: int) -> T:
    return some[which % len(some)]


TestCounter = Counter.TestCase
TestCounter.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)


def test_a_place_that_became_free_between_others_is_not_given_to_two() -> None:
    """Three begin with one person under three identities; two learn the third's, before and after it ends."""
    one = Counter()
    for known in range(3):
        one.file("jane", Action.ERASE, {known})
    first, second, third = one.requests.values()
    one.dispatch([request.tasks[1] for request in (first, second, third)])
    one.learn(0, 1)
    one.end(second)
    one.learn(1, 1)
    assert {place for place in one.places if place[0] == b"j2"} == {(b"j2", 1, first.id), (b"j2", 2, third.id)}


def asking(request: str, action: Action, *subject: bytes, at: str = "crm") -> Asking:
    return Asking(f"{request}/{at}", request, at, action, frozenset(subject))


def test_what_changes_waits_for_a_copy_whichever_was_filed_first() -> None:
    for copy, change in (("req-1", "req-2"), ("req-2", "req-1")):
        turns = Turns(readers={b"j1": {copy}})
        decided = decide([asking(change, Action.ERASE, b"j1", b"j2"), asking(copy, Action.EXPORT, b"j1")], turns)
        assert decided.behind == {f"{change}/crm": copy}
        assert decided.take == [(b"j1", 0, copy)]


def test_looking_takes_no_turn_and_waits_for_one() -> None:
    assert decide([asking("req-1", Action.RESOLVE, b"j1")], Turns()).take == []
    turns = Turns(holders={b"j1": {0: "req-1"}})
    assert decide([asking("req-2", Action.RESOLVE, b"j1")], turns).behind == {"req-2/crm": "req-1"}


def test_who_has_a_turn_waits_for_another_only_where_that_is_at_work() -> None:
    turns = Turns(holders={b"j1": {0: "req-1"}, b"j2": {0: "req-2"}}, running={("req-2", "crm")})
    some = [asking("req-1", Action.ERASE, b"j1", b"j2", at=one) for one in ("crm", "files")]
    decided = decide(some, turns)
    assert decided.behind == {"req-1/crm": "req-2"}
    assert decided.take == [(b"j2", 1, "req-1")]
