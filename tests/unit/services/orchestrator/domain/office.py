"""An orchestrator in memory, on the domain alone, with hosts and a post that loses order: as the handlers do it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from contracts.outcomes import Line, Outcome
from habeas.vocabulary import (
    Action,
    AttentionReason,
    Checked,
    Disposition,
    IdentityType,
    Phase,
    RequestState,
    Right,
    TaskState,
)
from services.orchestrator.domain import cancelling
from services.orchestrator.domain.planning import WITH_EFFECTS, Candidate, NewTask, Standing, plan
from services.orchestrator.domain.settlement import given_up, not_applicable, sum_up
from services.orchestrator.domain.task import ProcessorTask
from tests.unit.services.orchestrator.domain.papers import NOW, Case, Command, Report, received

EMAIL, CUSTOMER = IdentityType.EMAIL, IdentityType.CUSTOMER_ID
PATIENCE = timedelta(minutes=15)
BOTH = frozenset({Action.RESOLVE, Action.ERASE})


def candidate(name: str, accepts: set[IdentityType], resolves: set[IdentityType], *after: str) -> Candidate:
    """Return an announced processor whose kind is its name."""
    serves = BOTH if resolves else frozenset({Action.ERASE})
    return Candidate(name, name, Standing.SERVED, 1, frozenset(accepts), frozenset(resolves), serves, frozenset(after))


PROCESSORS = (
    candidate("crm", {EMAIL, CUSTOMER}, {CUSTOMER}),
    candidate("shop", {CUSTOMER}, {EMAIL}),
    candidate("files", {CUSTOMER}, set()),
    candidate("billing", {EMAIL}, set(), "files"),
)
NAMES = tuple(one.id for one in PROCESSORS)


class Office:
    """Requests, processors, hosts and the post between them. Whoever drives it decides what happens next."""

    def __init__(self, candidates: Sequence[Candidate], *, cooling_off: bool = False) -> None:
        self.known = {one.id: one for one in candidates}
        self.candidates = {one.id: _never(one) for one in candidates}
        self.cooling_off = cooling_off
        self.cases: dict[str, Case] = {}
        self.to_hosts: list[Command] = []
        self.from_hosts: list[Report] = []
        self.hosts: dict[str, Report] = {}  # what a host answered, by task: asked again it says the same
        self.called_off: set[str] = set()
        self.effects: Counter[str] = Counter()  # by task: each change of state at a processor
        self._now = NOW

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def case_of(self, task: str) -> Case:
        return self.cases[task.partition("/")[0]]

    # What people do

    def announce(self, processor: str) -> None:
        if self.candidates[processor].standing is not Standing.RETIRED:
            self.candidates[processor] = self.known[processor]
            self._wake_those_of(processor)

    def retire(self, processor: str) -> None:
        self.candidates[processor] = Candidate(processor, self.known[processor].kind, Standing.RETIRED)
        self._wake_those_of(processor)

    def _wake_those_of(self, processor: str) -> None:
        for case in self.cases.values():
            there = [task for task in case.tasks.values() if task.processor == processor]
            under_way = case.request.state in (RequestState.IN_PROGRESS, RequestState.CANCELLING)
            if under_way and (not there or any(task.is_open for task in there)):
                case.request.wake_planner()

    def file(self, types: Iterable[IdentityType]) -> Case:
        request = received(f"req-{len(self.cases) + 1}")
        case = self.cases[request.id] = Case(request, set(types))
        self.note(case, "request.received", actor="cli-1")
        return case

    def cancel(self, case: Case) -> None:
        """Raise `NotAllowed`, or do it (again) and tell the caller so."""
        if cancelling.begin(case.request, case.tasks.values()):
            cancelling.call_off(case.request, list(case.tasks.values()), at=self.now())
            for task in case.tasks.values():
                if task.is_open:
                    self.to_hosts.append(Command(task.id, "cancelled", task.dispatch_no))
            self.note(case, "request.cancelled", actor="cli-1")
        case.cancel_acked = True

    def skip(self, task: ProcessorTask) -> bool:
        done = task.settle(given_up("skipped_by_operator").model_dump_json(), at=self.now())
        if done:
            self._over(self.case_of(task.id))
            self.case_of(task.id).request.wake_planner()
            self.note(self.case_of(task.id), "task.skipped", task, actor="cli-operator")
        return done

    # What the orchestrator does

    def plan(self, case: Case) -> None:
        request = case.request
        request.advance = False
        if request.state is RequestState.RECEIVED and self.cooling_off:
            request.move(RequestState.SCHEDULED)
            request.wake_planner()
            self.note(case, "request.scheduled")
        elif request.state in (RequestState.RECEIVED, RequestState.SCHEDULED):
            request.move(RequestState.IN_PROGRESS)
            self.note(case, "request.started")
        if request.state is RequestState.IN_PROGRESS:
            self._carry_on(case)
        elif request.state is RequestState.CANCELLING:
            self._cancelling(case)

    def dispatch(self, task: ProcessorTask) -> None:
        """Send a task, for the first time or again."""
        task.dispatch(self.now(), self._now + PATIENCE)
        self.to_hosts.append(Command(task.id, "dispatched", task.dispatch_no))
        self.note(self.case_of(task.id), "task.dispatched", task)

    def record(self, report: Report) -> None:
        case = self.case_of(report.task)
        task = case.tasks[report.task]
        at = self.now()
        match report.kind:
            case "accepted":
                changed = task.accept(at, at + PATIENCE)
            case "progressed":
                changed = task.progress(
                    fence=report.fence,
                    sequence=0,
                    phase=report.phase,
                    attention=report.attention,
                    at=at,
                    silence_at=at + PATIENCE,
                )
            case _:
                assert report.outcome is not None
                changed = task.settle(report.outcome.model_dump_json(), at=at, cancelled=report.cancelled)
                if changed and set(report.found) - case.types:
                    case.types |= set(report.found)
                    case.news |= {one.processor for one in case.of(Action.RESOLVE) if one.processor != task.processor}
                if changed:
                    self._over(case)
                    case.request.hear_of_end(task.action)
        if changed:
            self.note(case, f"task.{report.kind}", task)

    def _carry_on(self, case: Case) -> None:
        decided = plan(
            right=Right.ERASURE,
            types=case.types,
            candidates=self.candidates.values(),
            tasks=list(case.tasks.values()),
            news=case.news,
        )
        for new in decided.add:
            self._add(case, new)
        case.news -= {new.processor for new in decided.add if new.action is Action.RESOLVE}
        for name in decided.ready:
            case.tasks[name].state, case.tasks[name].attention = TaskState.READY, None
        for name, reason in decided.settle.items():
            self._settle(case, case.tasks[name], not_applicable(reason))
        for name in decided.give_up:
            self._settle(case, case.tasks[name], given_up("processor_retired"))
        case.request.waiting = any(task.state is TaskState.WAITING for task in case.tasks.values())
        if decided.done:
            self._end(case, RequestState.COMPLETED)

    def _cancelling(self, case: Case) -> None:
        for task in case.tasks.values():
            if task.is_open and self.candidates[task.processor].standing is Standing.RETIRED:
                self._settle(case, task, given_up("processor_retired"))
        if cancelling.is_over(case.tasks.values()):
            changed = any(cancelling.had_effects(task) for task in case.tasks.values())
            self._end(case, RequestState.COMPLETED if changed else RequestState.CANCELLED)

    def _end(self, case: Case, state: RequestState) -> None:
        if state is RequestState.COMPLETED:
            case.request.outcome = sum_up(case.tasks.values()).model_dump_json()
        case.request.move(state)
        case.request.completed_at = self.now()
        self.note(case, f"request.{state.value}")

    def _add(self, case: Case, new: NewTask) -> None:
        name = f"{case.request.id}/{new.processor}/{new.action.value}/{new.round}"
        assert name not in case.tasks, "planned twice"
        task = ProcessorTask(name, case.request.id, new.processor, new.action, new.round, new.state, manifest_version=1)
        if new.state is TaskState.SETTLED:
            task.outcome, task.settled_at = not_applicable(new.reason or "").model_dump_json(), self.now()
        elif new.reason is not None:
            task.need(AttentionReason(new.reason), self.now())
        case.tasks[name] = task
        self._over(case)
        self.note(case, "task.planned", task)

    def _over(self, case: Case) -> None:
        """Count what is open, as the handlers do step by step."""
        case.request.open_tasks = sum(task.is_open for task in case.tasks.values())

    def _settle(self, case: Case, task: ProcessorTask, outcome: Outcome) -> None:
        if task.settle(outcome.model_dump_json(), at=self.now()):
            self._over(case)
            self.note(case, "task.settled", task)

    def note(self, case: Case, kind: str, task: ProcessorTask | None = None, *, actor: str | None = None) -> None:
        case.request.note(
            kind,
            event_id=f"evt-{case.request.id}-{case.request.timeline_seq + 1}",
            at=self.now(),
            task_id=task.id if task else None,
            actor=actor,
            detail={"state": case.request.state.value},
        )
        case.entries += case.request.entries
        case.request.entries.clear()

    # What a host does

    def take(self, command: Command) -> None:
        """Let the host take a message: it works once, and answers whoever asks again with what it said."""
        if command.task in self.hosts:
            self.from_hosts.append(self.hosts[command.task])
            return
        if command.kind == "cancelled":
            self.called_off.add(command.task)
            answer = Report(command.task, "settled", outcome=Outcome.of(()), cancelled=True)
        else:
            self.from_hosts += [
                Report(command.task, "accepted"),
                Report(command.task, "progressed", fence=1, phase=Phase.RETRYING),
                Report(command.task, "progressed", fence=2, attention=AttentionReason.KEEPS_FAILING),
            ]
            answer = self._work(command.task)
        self.hosts[command.task] = answer
        self.from_hosts.append(answer)

    def deliver(self) -> None:
        """Let the post bring everything; what is for the host of a retired processor reaches nobody."""
        while self.to_hosts:
            command = self.to_hosts.pop(0)
            processor = self.case_of(command.task).tasks[command.task].processor
            if self.candidates[processor].standing is not Standing.RETIRED:
                self.take(command)
        while self.from_hosts:
            self.record(self.from_hosts.pop(0))

    def rest(self, check: Callable[[], None] = lambda: None) -> None:
        """Go on until nothing happens any more; `check` is called after each step. Who does not ask is not planned."""
        before = None
        while before != (before := self._picture()):
            self.deliver()
            for case in self.cases.values():
                if case.request.advance:
                    self.plan(case)
                check()
                for task in case.tasks.values():
                    if task.state is TaskState.READY and case.request.state is RequestState.IN_PROGRESS:
                        self.dispatch(task)

    def _picture(self) -> list[object]:
        tasks = [task for case in self.cases.values() for task in case.tasks.values()]
        return [[(one.state, one.dispatch_no) for one in tasks], [one.request.state for one in self.cases.values()]]

    def _work(self, task_id: str) -> Report:
        task = self.case_of(task_id).tasks[task_id]
        if task.action in WITH_EFFECTS:
            self.effects[task_id] += 1
            line = Line(category="contact", disposition=Disposition.ERASED, count=1, checked=Checked.VERIFIED)
            return Report(task_id, "settled", outcome=Outcome.of((line,)))
        found = tuple(sorted(self.known[task.processor].resolves))
        return Report(task_id, "settled", outcome=Outcome.of(()), found=found)


def _never(one: Candidate) -> Candidate:
    return Candidate(one.id, one.kind, Standing.NEVER_ANNOUNCED)
