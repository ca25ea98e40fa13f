"""Planning: resolve to a fixed point, then act everywhere, in order, and never end while anything is open."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from habeas.vocabulary import Action, IdentityType, Right, TaskState
from services.orchestrator.domain.planning import (
    MAX_ROUNDS,
    Candidate,
    CyclicOrder,
    NewTask,
    Plan,
    Standing,
    circle,
    order_of,
    plan,
)
from services.orchestrator.domain.settlement import not_applicable
from services.orchestrator.domain.task import ProcessorTask

EMAIL, CUSTOMER, COOKIE = IdentityType.EMAIL, IdentityType.CUSTOMER_ID, IdentityType.COOKIE_ID


def served(
    name: str,
    *,
    accepts: set[IdentityType] | None = None,
    resolves: set[IdentityType] | None = None,
    serves: set[Action] | None = None,
    after: set[str] | None = None,
) -> Candidate:
    """Return an announced processor whose kind is its name."""
    actions = {Action.ERASE} if serves is None else serves
    return Candidate(
        name,
        name,
        Standing.SERVED,
        1,
        frozenset(accepts or {EMAIL}),
        frozenset(resolves or ()),
        frozenset(actions | ({Action.RESOLVE} if resolves else set())),
        frozenset(after or ()),
    )


CRM = served("crm", resolves={CUSTOMER}, accepts={EMAIL, CUSTOMER})
FILES = served("files", accepts={CUSTOMER})
MAILING = served("mailing", accepts={EMAIL})


class Request:
    """A request that is planned step by step."""

    def __init__(self, *candidates: Candidate, types: set[IdentityType] | None = None) -> None:
        self.candidates = {one.id: one for one in candidates}
        self.types = set(types or {EMAIL})
        self.tasks: list[ProcessorTask] = []
        self.news: set[str] = set()

    def plan(self) -> Plan:
        """Plan and carry the plan out."""
        decided = plan(
            right=Right.ERASURE,
            types=self.types,
            candidates=self.candidates.values(),
            tasks=self.tasks,
            news=self.news,
        )
        self.news = set()
        for new in decided.add:
            self._add(new)
        for task in self.tasks:
            if task.id in decided.ready:
                task.state = TaskState.READY
            if task.id in decided.settle or task.id in decided.give_up:
                self.settle(task)
        return decided

    def _add(self, new: NewTask) -> None:
        name = f"{new.processor}/{new.action}/{new.round}"
        assert name not in {task.id for task in self.tasks}, "a task was planned twice"
        self.tasks.append(ProcessorTask(name, "req", new.processor, new.action, new.round, new.state))

    def task(self, name: str) -> ProcessorTask:
        """Return a task by processor, action and round."""
        return next(task for task in self.tasks if task.id == name)

    def settle(self, task: ProcessorTask | str) -> None:
        """Let a task be answered."""
        one = self.task(task) if isinstance(task, str) else task
        one.settle(not_applicable("test").model_dump_json(), at=NOW)

    def state(self) -> dict[str, str]:
        """Return each task's state."""
        return {task.id: task.state.value for task in self.tasks}


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_without_resolvers_every_processor_acts_at_once() -> None:
    request = Request(MAILING, served("other"))
    decided = request.plan()
    assert request.state() == {"mailing/erase/0": "ready", "other/erase/0": "ready"}
    assert not decided.done


def test_with_nothing_enrolled_the_plan_is_empty_and_not_done() -> None:
    decided = Request().plan()
    assert decided.empty
    assert not decided.done


def test_a_resolver_is_asked_before_those_that_need_what_it_may_find() -> None:
    request = Request(CRM, FILES, MAILING)
    request.plan()
    assert request.state() == {"crm/resolve/1": "ready", "mailing/erase/0": "ready"}


def test_what_was_resolved_lets_the_others_act() -> None:
    request = Request(CRM, FILES)
    request.plan()
    request.types.add(CUSTOMER)
    request.settle("crm/resolve/1")
    request.plan()
    assert request.state() == {"crm/resolve/1": "settled", "crm/erase/0": "ready", "files/erase/0": "ready"}


def test_who_accepts_none_of_the_known_identities_is_not_applicable() -> None:
    request = Request(CRM, FILES)
    request.plan()
    request.settle("crm/resolve/1")
    decided = request.plan()
    assert request.state()["files/erase/0"] == "settled"
    assert {one.processor: one.reason for one in decided.add} == {"crm": None, "files": "no_accepted_identity"}


def test_who_does_not_serve_the_right_is_not_applicable() -> None:
    request = Request(served("archive", serves={Action.EXPORT}))
    decided = request.plan()
    assert [one.reason for one in decided.add] == ["right_not_served"]
    assert decided.done


def test_resolvers_feed_each_other_round_by_round_at_most_three() -> None:
    web = served("web", accepts={CUSTOMER}, resolves={COOKIE})
    request = Request(CRM, web)
    request.plan()
    request.types.add(CUSTOMER)
    request.settle("crm/resolve/1")
    request.plan()
    assert request.state()["web/resolve/1"] == "ready"
    for round_ in (2, 3):
        request.settle(f"web/resolve/{round_ - 1}" if round_ == 2 else "crm/resolve/2")
        request.news = {"crm"}
        request.plan()
        assert request.state()[f"crm/resolve/{round_}"] == "ready"
    request.settle("crm/resolve/3")
    request.news = {"crm"}
    request.plan()
    assert max(task.round for task in request.tasks) == MAX_ROUNDS
    assert request.state()["crm/erase/0"] == "ready"


def test_a_resolver_is_not_erased_while_another_still_resolves() -> None:
    web = served("web", accepts={EMAIL}, resolves={COOKIE})
    request = Request(CRM, web)
    request.plan()
    request.settle("crm/resolve/1")
    request.plan()
    assert "crm/erase/0" not in request.state()
    request.settle("web/resolve/1")
    request.plan()
    assert request.state()["crm/erase/0"] == "ready"


def test_a_processor_that_never_announced_waits_and_is_released_by_its_announcement() -> None:
    request = Request(MAILING, Candidate("new", "new", Standing.NEVER_ANNOUNCED))
    request.plan()
    request.settle("mailing/erase/0")
    assert not request.plan().done
    assert request.state()["new/erase/0"] == "waiting"
    request.candidates["new"] = served("new")
    request.plan()
    assert request.state()["new/erase/0"] == "ready"


def test_a_resolver_that_announces_late_is_asked_before_it_acts() -> None:
    request = Request(MAILING, Candidate("crm", "crm", Standing.NEVER_ANNOUNCED))
    request.plan()
    request.candidates["crm"] = CRM
    request.plan()
    assert request.state() == {"mailing/erase/0": "ready", "crm/erase/0": "waiting", "crm/resolve/1": "ready"}
    request.settle("crm/resolve/1")
    request.plan()
    assert request.state()["crm/erase/0"] == "ready"


def test_a_late_announcement_that_serves_nothing_settles_the_waiting_task() -> None:
    request = Request(Candidate("new", "new", Standing.NEVER_ANNOUNCED))
    request.plan()
    request.candidates["new"] = served("new", serves={Action.EXPORT})
    decided = request.plan()
    assert decided.settle == {"new/erase/0": "right_not_served"}
    assert decided.done


def test_a_processor_enrolled_in_the_middle_is_covered_too() -> None:
    request = Request(MAILING)
    request.plan()
    request.candidates["late"] = served("late")
    request.settle("mailing/erase/0")
    decided = request.plan()
    assert request.state()["late/erase/0"] == "ready"
    assert not decided.done


def test_a_retired_processor_is_given_up_and_the_rest_goes_on() -> None:
    request = Request(CRM, MAILING)
    request.plan()
    request.settle("mailing/erase/0")
    request.candidates["crm"] = Candidate("crm", "crm", Standing.RETIRED)
    decided = request.plan()
    assert decided.give_up == ["crm/resolve/1"]
    assert decided.done


def test_order_is_kept_between_kinds() -> None:
    request = Request(MAILING, served("index", after={"mailing"}))
    request.plan()
    assert request.state() == {"mailing/erase/0": "ready", "index/erase/0": "waiting"}
    request.settle("mailing/erase/0")
    request.plan()
    assert request.state()["index/erase/0"] == "ready"


def test_a_circle_of_orders_is_refused_with_its_path() -> None:
    with pytest.raises(CyclicOrder, match=r"a -> b -> a|b -> a -> b"):
        Request(served("a", after={"b"}), served("b", after={"a"})).plan()


def test_a_kind_that_would_come_after_itself_is_a_circle() -> None:
    with pytest.raises(CyclicOrder, match=r"^a -> a$"):
        Request(served("a", after={"a"})).plan()


def test_who_is_in_no_circle_is_not_blamed_for_another() -> None:
    order = order_of([("a", {"b"}), ("b", {"a"}), ("c", {"a"}), ("d", ())])
    assert (circle("b", order), circle("c", order), circle("d", order)) == (["b", "a", "b"], None, None)


@pytest.mark.parametrize("first", [served("first", serves=set()), served("first", accepts={COOKIE})])
def test_who_has_nothing_to_do_holds_up_nobody(first: Candidate) -> None:
    """No report would come on it, so that what waited for it would wait for ever."""
    request = Request(served("then", after={"first"}), first)
    request.plan()
    assert request.state() == {"then/erase/0": "ready", "first/erase/0": "settled"}


def test_a_first_manifest_that_waits_is_the_reason_to_wait() -> None:
    decided = Request(MAILING, Candidate("files", "files", Standing.HELD)).plan()
    assert [(one.state, one.reason) for one in decided.add] == [
        (TaskState.READY, None),
        (TaskState.WAITING, "manifest_waits"),
    ]


def test_news_after_the_last_round_cut_the_search_short() -> None:
    request = Request(CRM, served("shop", accepts={CUSTOMER, COOKIE}, resolves={COOKIE}), types={EMAIL, CUSTOMER})
    told = []
    for number in range(1, MAX_ROUNDS + 1):
        told.append(request.plan().cut_short)
        for task in [one for one in request.tasks if one.round == number]:
            request.settle(task)
        request.news = {"crm", "shop"}
    assert (told, request.plan().cut_short) == ([False] * MAX_ROUNDS, True)
    assert request.state()["crm/erase/0"] == "ready"


def test_planning_again_after_nothing_happened_adds_nothing() -> None:
    request = Request(CRM, FILES, MAILING)
    request.plan()
    again = request.plan()
    assert (list(again.add), list(again.ready), dict(again.settle), again.done) == ([], [], {}, False)


@st.composite
def landscapes(draw: st.DrawFn) -> list[Candidate]:
    """Return up to five processors of any standing, whose order has no circle."""
    types = st.frozensets(st.sampled_from([EMAIL, CUSTOMER, COOKIE]), min_size=1)
    found: list[Candidate] = []
    for name in "abcde"[: draw(st.integers(1, 5))]:
        standing = draw(st.sampled_from([Standing.SERVED] * 4 + list(Standing)))
        resolves = draw(st.frozensets(st.sampled_from([CUSTOMER, COOKIE])))
        serves = draw(st.frozensets(st.just(Action.ERASE))) | ({Action.RESOLVE} if resolves else set())
        after = draw(st.frozensets(st.sampled_from([one.kind for one in found]))) if found else frozenset()
        found.append(Candidate(name, name, standing, 1, draw(types), resolves, frozenset(serves), after))
    return found


@settings(max_examples=300)
@given(landscapes(), st.data())
def test_every_request_ends_and_covers_every_processor(landscape: list[Candidate], data: st.DataObject) -> None:
    """Whatever the landscape and the order of answers: each step adds no task twice, and the end is reached."""
    request = Request(*landscape)
    for _ in range(60):
        decided = request.plan()
        if decided.done or decided.empty:
            break
        going = [task for task in request.tasks if task.state is TaskState.READY]
        if going:
            task = data.draw(st.sampled_from(going))
            if task.action is Action.RESOLVE:
                found = data.draw(st.frozensets(st.sampled_from(sorted(request.candidates[task.processor].resolves))))
                learned = found - request.types
                request.types |= found
                if learned:
                    request.news |= {
                        one.id for one in landscape if one.id != task.processor and one.accepts & learned
                    } & {one.processor for one in request.tasks if one.action is Action.RESOLVE}
            request.settle(task)
            continue
        for one in landscape:  # nothing goes: only an announcement can help
            if one.standing.unknown:
                request.candidates[one.id] = Candidate(
                    one.id, one.kind, Standing.SERVED, 1, one.accepts, one.resolves, one.serves, one.after
                )
    else:
        pytest.fail("it never ended")
    acted = {task.processor for task in request.tasks if task.action is Action.ERASE}
    assert acted == {one.id for one in request.candidates.values() if one.standing is not Standing.RETIRED}
    assert all(task.round <= MAX_ROUNDS for task in request.tasks)


def test_a_processor_that_knows_no_field_to_correct_is_not_asked() -> None:
    actions = {Action.RECTIFY}
    knows = replace(served("crm", serves=actions), fields=frozenset({"contact.email", "contact.name"}))
    other = replace(served("mailing", serves=actions), fields=frozenset({"contact.language"}))
    decided = plan(
        right=Right.RECTIFICATION,
        types={EMAIL},
        candidates=[knows, other, served("files")],
        tasks=[],
        fields=["contact.email", "contact.phone"],
    )
    assert [(one.processor, one.action, one.state, one.reason) for one in decided.add] == [
        ("crm", Action.RECTIFY, TaskState.READY, None),
        ("mailing", Action.RECTIFY, TaskState.SETTLED, "unknown_field"),
        ("files", Action.RECTIFY, TaskState.SETTLED, "right_not_served"),
    ]


def test_an_access_exports_everywhere() -> None:
    decided = plan(right=Right.ACCESS, types={EMAIL}, candidates=[served("crm", serves={Action.EXPORT})], tasks=[])
    assert [(one.action, one.state) for one in decided.add] == [(Action.EXPORT, TaskState.READY)]
