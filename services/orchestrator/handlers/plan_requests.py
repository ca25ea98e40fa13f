"""Plans batches of requests: takes in what was resolved, adds the tasks that come next, completes what is done."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from contracts.outcomes import Outcome
from contracts.requests import RequestCancelled, RequestStarted
from habeas.vocabulary import AttentionReason, NoticeKind, RequestState, TaskState
from services.chassis.faultpoints import faultpoint
from services.chassis.postgres.pool import TRANSIENT
from services.orchestrator.domain import cancelling, holds
from services.orchestrator.domain.planning import MAX_ROUNDS, CyclicOrder, NewTask, Plan, plan
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.settlement import UNKNOWN_FIELD, given_up, not_applicable, unknown_field
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.complete_request import close_tasks, complete, notice_silence
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.dispatch_tasks import dispatch
from services.orchestrator.handlers.find_culprits import without_culprits
from services.orchestrator.handlers.journal import Journal
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.notices_again import troubles
from services.orchestrator.handlers.set_aside import TRY_AGAIN, set_aside
from services.orchestrator.handlers.subject_turns import read_on
from services.orchestrator.handlers.take_findings import news, take_in
from services.orchestrator.handlers.vault import Known, Vault
from services.orchestrator.handlers.workspace import Workspace

AT_A_TIME = 200  # requests, so that sealing their tasks leaves the event loop to others soon


class Planner:
    """A loop's step: one batch of requests that asked for the planner's look."""

    def __init__(self, deps: Dependencies) -> None:
        """Plan with `deps`."""
        self._deps = deps
        self._messages = Messages(deps)

    async def step(self) -> int:
        """Plan one batch; return how many requests it held. One that can not be planned is set aside alone."""
        claimed: list[str] = []
        try:
            return await self._plan(None, claimed)
        except TRANSIENT:
            raise
        except Exception:
            if not claimed:
                raise
            return await without_culprits(claimed, self._plan, partial(set_aside, self._deps))

    async def _plan(self, only: Sequence[str] | None, claimed: list[str] | None = None) -> int:
        """Plan a batch, or those of `only` that still ask for it, in one transaction; say which in `claimed`."""
        now = self._deps.clock.now()
        async with self._deps.database.transaction() as connection:
            work = Workspace(connection)
            await work.claim_to_plan(now, min(AT_A_TIME, self._deps.settings.batch), only)
            if claimed is not None:
                claimed.extend(work.requests)
            if not work.requests:
                return 0
            await work.load_tasks()
            directory = await Directory.read(connection, self._deps.root)
            vault = await Vault.open(connection, self._deps.at_rest, list(work.requests), leave_out=True)
            untold = await troubles(connection, work.requests)
            by_request: dict[str, list[ProcessorTask]] = {one: [] for one in work.requests}
            for task in work.tasks.values():
                by_request[task.request_id].append(task)
            for request in work.requests.values():
                tasks = by_request[request.id]
                _Planning(
                    self._deps, self._messages, work, directory, vault, request, tasks, now, untold.get(request.id)
                ).go()
            await read_on(self._deps, work, vault)
            # What is ready goes in the same transaction: another one would lock, load and open all of it again.
            sent = await dispatch(self._deps, work, work.ready_tasks(), directory, vault)
            await vault.save()
            await work.save()
            faultpoint("planner.before_commit")
            if sent:
                faultpoint("dispatcher.before_commit")
        faultpoint("planner.committed")
        if sent:
            faultpoint("dispatcher.committed")
        if work.messages:
            self._deps.wakes.relay.set()
        if work.freed:
            self._deps.wakes.dispatcher.set()
        return len(work.requests)


class _Planning:
    """One request's turn."""

    def __init__(
        self,
        deps: Dependencies,
        messages: Messages,
        work: Workspace,
        directory: Directory,
        vault: Vault,
        request: DataSubjectRequest,
        tasks: list[ProcessorTask],
        now: datetime,
        untold: AttentionReason | None,  # what is the matter with a notice of it
    ) -> None:
        self._deps = deps
        self._messages = messages
        self._work = work
        self._directory = directory
        self._vault = vault
        self._request = request
        self._tasks = tasks
        self._now = now
        self._untold = untold
        self._journal = Journal(messages, work, now)

    def go(self) -> None:
        """Take the request as far as it goes."""
        request = self._request
        request.advance, request.advance_after = False, None
        self._work.touch(request)
        working = request.state in (RequestState.RECEIVED, RequestState.SCHEDULED, RequestState.IN_PROGRESS)
        if working and request.id not in self._vault:
            self._unreadable()
            return
        if request.state in (RequestState.RECEIVED, RequestState.SCHEDULED):
            self._start()
        if request.state is RequestState.IN_PROGRESS:
            self._carry_on()
        elif request.state is RequestState.CANCELLING:
            self._cancelling()
        if request.state.is_terminal and self._untold is not None:
            request.need(self._untold, since=self._now)

    def _start(self) -> None:
        """Acknowledge, wait out the cooling-off, and begin."""
        request, now = self._request, self._now
        if request.state is RequestState.RECEIVED and not holds.is_follow_up(self._tasks):
            self._acknowledge()  # nobody sent a follow-up in
        begin = request.created_at + timedelta(seconds=self._deps.settings.cooling_off)
        if begin > now:
            if request.state is RequestState.RECEIVED:
                request.move(RequestState.SCHEDULED)
                self._note("request.scheduled", detail={"begins_at": begin.isoformat()})
            request.wake_planner(begin)
            return
        request.move(RequestState.IN_PROGRESS)
        self._note("request.started")
        self._work.send(self._messages.fact(RequestStarted, request, at=now))

    def _acknowledge(self) -> None:
        known = self._vault[self._request.id]
        if known.email is None:
            return
        notice = self._messages.notice(
            self._request, NoticeKind.ACKNOWLEDGEMENT, email=known.email, reference=known.reference, at=self._now
        )
        self._work.send(notice)
        self._work.add_notice(
            self._messages.notice_id(self._request, NoticeKind.ACKNOWLEDGEMENT),
            self._request,
            NoticeKind.ACKNOWLEDGEMENT,
            at=self._now,
            silence_at=notice_silence(self._deps, self._now),
        )

    def _unreadable(self) -> None:
        """Show that nothing can be told to anybody; tried again, since what is missing may be put back."""
        self._request.wake_planner(self._now + TRY_AGAIN)
        self._call_for_help(AttentionReason.CANNOT_BE_PLANNED, why="unreadable")

    def _carry_on(self) -> None:
        request = self._request
        known = self._vault[request.id]
        for task in self._tasks:
            if task.findings is not None:
                self._work.touch_task(task)
                take_in(request, task, directory=self._directory, vault=self._vault, journal=self._journal)
        if known.ambiguous and not request.identities_confirmed:
            self._call_for_help(AttentionReason.AMBIGUOUS_IDENTITY)
            return
        try:
            decided = self._decide(known)
        except CyclicOrder as path:  # it is asked to look again as soon as a manifest changes
            self._call_for_help(AttentionReason.CANNOT_BE_PLANNED, why=str(path))
            return
        if decided.empty:
            why = None if request.livemode else "no processor is enrolled for rehearsals"
            self._call_for_help(AttentionReason.NO_PROCESSORS, why=why)
        else:
            self._carry_out(decided)

    def _carry_out(self, decided: Plan) -> None:
        request = self._request
        if decided.cut_short and request.complete:
            request.complete = False  # what could still be found was not looked for
            self._note("identities.cut_short", detail={"rounds": MAX_ROUNDS})
        request.round = decided.round
        for new in decided.add:
            self._add(new)
        for task in self._named(decided.ready):
            self._release(task)
        for task in self._named(tuple(decided.settle)):
            self._settle(task, _at_once(decided.settle[task.id]))
        for task in self._named(decided.give_up):
            self._give_up(task)
        self._name_who_is_unknown()
        request.waiting = any(task.state is TaskState.WAITING for task in self._tasks)
        self._review_attention()
        if decided.done:
            self._complete()

    def _decide(self, known: Known) -> Plan:
        candidates = self._directory.candidates(livemode=self._request.livemode)
        if holds.is_follow_up(self._tasks):
            return holds.carry_on(self._tasks, candidates)
        return plan(
            right=self._request.right,
            types=known.types,
            candidates=candidates,
            tasks=self._tasks,
            news=news(self._tasks, self._directory, known),
            fields=known.fields,
        )

    def _complete(self) -> None:
        complete(
            self._deps, self._messages, self._work, self._directory, self._vault, self._request, self._tasks, self._now
        )

    def _add(self, new: NewTask) -> None:
        request = self._request
        task = ProcessorTask(
            id=self._messages.task_id(request.id, new.processor, new.action, new.round),
            request_id=request.id,
            processor=new.processor,
            action=new.action,
            round=new.round,
            state=new.state,
            manifest_version=new.manifest_version,
        )
        if new.state is TaskState.SETTLED:
            task.outcome = _at_once(new.reason or "").model_dump_json()
            task.settled_at = self._now
        elif new.reason is not None:
            task.need(AttentionReason(new.reason), self._now)
        self._work.add_task(task)
        self._tasks.append(task)
        self._note("task.planned", task=task, detail={"action": task.action, "round": task.round, "reason": new.reason})

    def _release(self, task: ProcessorTask) -> None:
        task.state = TaskState.READY
        task.attention = None
        task.manifest_version = self._directory[task.processor].manifest_version
        self._work.touch_task(task)

    def _give_up(self, task: ProcessorTask) -> None:
        """Settle a task at a retired processor: whoever retired it has done that."""
        self._settle(task, given_up("processor_retired"), actor=self._directory[task.processor].retired_by)

    def _settle(self, task: ProcessorTask, outcome: Outcome, *, actor: str | None = None) -> None:
        if task.settle(outcome.model_dump_json(), at=self._now):
            self._work.task_closed(task)
            reason = outcome.lines[0].reason if outcome.lines else None
            detail = {"headline": outcome.headline, "reason": reason}
            self._journal.note(self._request, "task.settled", task=task, actor=actor, detail=detail)

    def _name_who_is_unknown(self) -> None:
        """Let what waits for a manifest say whether it was not announced, or waits to take effect."""
        for task in self._tasks:
            standing = self._directory[task.processor].candidate().standing
            if task.state is TaskState.WAITING and standing.unknown:
                task.need(AttentionReason(standing.value), self._now)
                self._work.touch_task(task)

    def _cancelling(self) -> None:
        """End a cancelled request once every host has said that it stopped; that of a retired processor never will."""
        for task in self._tasks:
            if task.is_open and self._directory[task.processor].state == "retired":
                self._give_up(task)
        if not cancelling.is_over(self._tasks):
            self._review_attention()  # a host that should answer may be silent
            return
        request = self._request
        if any(cancelling.had_effects(task) for task in self._tasks):
            self._complete()
            return
        request.needs_nothing()
        request.move(RequestState.CANCELLED)
        request.completed_at = self._now
        self._note("request.cancelled")
        self._work.send(self._messages.fact(RequestCancelled, request, at=self._now))
        close_tasks(self._messages, self._work, self._directory, request, self._tasks, self._now)

    def _review_attention(self) -> None:
        """Let the request show what its tasks need, then what its notices need, and nothing when they need nothing."""
        for task in self._tasks:
            if task.is_open and task.attention is not None:
                self._call_for_help(AttentionReason(task.attention["reason"]), task.processor)
                return
        if self._untold is not None:
            self._call_for_help(self._untold)
            return
        self._request.needs_nothing()

    def _call_for_help(self, reason: AttentionReason, processor: str | None = None, why: str | None = None) -> None:
        self._journal.call_for_help(self._request, reason, processor=processor, why=why)

    def _named(self, ids: Sequence[str]) -> list[ProcessorTask]:
        return [task for task in self._tasks if task.id in set(ids)]

    def _note(self, kind: str, *, task: ProcessorTask | None = None, detail: dict[str, object] | None = None) -> None:
        self._journal.note(self._request, kind, task=task, detail=detail)


def _at_once(reason: str) -> Outcome:
    """Return the outcome of a processor that has nothing to do."""
    return unknown_field() if reason == UNKNOWN_FIELD else not_applicable(reason)
