"""Carries one task through a processor and says what is to happen next."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from habeas.engine.acting import EFFECTS, CancelledInTime, act, fail, give_up, refuse, take_answer
from habeas.engine.calls import Caller, Defect, OutOfTime
from habeas.engine.context import TaskContext
from habeas.engine.exporting import export
from habeas.engine.finding import TooManyIdentities, first_pass, held_pass, later_pass
from habeas.engine.lines import line, lines_of, reason_of, word
from habeas.engine.looking import FOUND, STILL_THERE, count, resolve
from habeas.engine.matching import Subject
from habeas.engine.ports import Again, Clock, Exports, Held, Ledger, OutcomeLine, Park, Settled, StoredItem, Verdict
from habeas.engine.rectifying import Unclear, categories_of, fields_told, owned_values, unknown_fields
from habeas.engine.run import Run
from habeas.engine.shapes import seconds
from habeas.engine.telling import not_listed, nothing_found
from habeas.engine.verifying import Look, can_look, checked_by, look_again
from habeas.sdk import (
    Action,
    CannotFulfil,
    Checked,
    CredentialsRejected,
    Disposition,
    Manifest,
    Processor,
    ProcessorError,
    RetryLater,
    Serves,
    Task,
    Wait,
    WrongPerson,
)
from habeas.sdk.http import LEAST_TIME, bounded_by
from habeas.vocabulary import NO_ACCEPTED_IDENTITY, AttentionReason, Phase

# Tries at a task that meets a defect each time, before a person is asked.
MOST_ATTEMPTS = 5
# Passes over what verification still finds, before a person is asked.
MOST_PASSES = 3
VERIFY_DUE = "verify_due"
JOB_OVERDUE = "job_overdue"


async def work(
    task: Task,
    *,
    processor: Processor[Any],
    manifest: Manifest,
    ledger: Ledger,
    clock: Clock,
    attempt: int = 1,
    before_call: Callable[[], Awaitable[None]] | None = None,
    exports: Exports | None = None,
    answer: bytes | None = None,
    max_passes: int = MOST_PASSES,
    held: Held | None = None,
) -> Verdict:
    """Work on `task` until it is settled, must wait or needs a person; a re-run goes on from what `ledger` holds.

    `attempt` counts, from 1, the runs that ended in `Again(counts=True)` since a person last asked. `before_call` is
    awaited where a processor asks for its turn. `answer` is a callback or a person's form for the job waited for.
    `max_passes` is raised by three when a person retries a task that was parked with `residue_remains`.
    `held` is what an earlier task kept, where its hold has ended: an erasure then acts on that, and looks for nothing.
    Raises `LeaseLost`, and whatever the ledger raises; nothing that a processor raises gets out.
    """
    serves = manifest.serves(task.action)
    if serves is None:
        return Settled((line(Disposition.NOT_APPLICABLE, Checked.NOT_CHECKABLE, reason="not_served"),))
    accepted = tuple(identity for identity in task.identities if identity.type in manifest.accepts)
    if held is None and not accepted:
        return Settled((line(Disposition.NOT_APPLICABLE, Checked.NOT_CHECKABLE, reason=NO_ACCEPTED_IDENTITY),))
    if len(accepted) < len(task.identities):
        task = replace(task, identities=accepted)
    ctx = TaskContext(
        task,
        ledger=ledger,
        clock=clock,
        attempt=attempt,
        attempt_timeout=manifest.timeouts.attempt,
        before_call=before_call,
    )
    caller = Caller(ctx, grace=manifest.timeouts.call)
    subject = Subject((*task.identities, *owned_values(task))) if held is None else held
    run = Run(task, processor, manifest, serves, ledger, ctx, caller, subject, max_passes, held)
    try:
        with bounded_by(ctx.time_left):
            run.take(await ledger.load())
            return await _guarded(run, exports, answer)
    finally:
        caller.close()


async def _guarded(run: Run, exports: Exports | None, answer: bytes | None) -> Verdict:
    """Turn what a processor raises into the verdict that its name promises."""
    try:
        return await _carry(run, exports, answer)
    except CancelledInTime:
        return Settled((), cancelled=True)
    except RetryLater as error:
        return Again(reason_of(error), after=seconds(error.after))
    except CredentialsRejected as error:
        return Park(AttentionReason.CREDENTIALS_REJECTED, reason_of(error))
    except WrongPerson as error:
        return Park(AttentionReason.WRONG_PERSON, reason_of(error))
    except CannotFulfil as error:
        return await _refused(run, error)
    except Unclear:
        return Park(AttentionReason.RESIDUE_REMAINS, "value_differs_after_write")
    except TooManyIdentities:
        return Park(AttentionReason.AMBIGUOUS_IDENTITY, "too_many_identities")
    except OutOfTime:
        return _failing(run, "attempt_timeout")
    except (Defect, ProcessorError) as error:
        return _failing(run, error.reason)


async def _carry(run: Run, exports: Exports | None, answer: bytes | None) -> Verdict:
    if run.ctx.cancelled():
        raise CancelledInTime
    match run.task.action:
        case Action.RESOLVE:
            return await resolve(run)
        case Action.PREVIEW:
            return await count(run, FOUND)
        case Action.RECHECK:
            return await count(run, STILL_THERE)
        case Action.EXPORT:
            return await export(run, exports)
        case Action.RECTIFY if not categories_of(run):
            nothing = line(Disposition.REFUSED, Checked.NOT_CHECKABLE, reason="no_corrections")
            return Settled(unknown_fields(run) or (nothing,))
        case _:
            return await _effect(run, answer)


async def _effect(run: Run, answer: bytes | None) -> Verdict:
    """Locate, act and verify, in as many passes as it takes."""
    if run.wait is not None and run.wait.job:
        waiting = await _resumed(run, run.wait, answer)
        if waiting is not None:
            return waiting
    if not run.located:
        await _locate(run)
    while True:
        wait = await act(run)
        if wait is not None:
            return _until(run, wait)
        verdict = await _verified(run)
        if verdict is not None:
            return verdict


async def _locate(run: Run) -> None:
    """Open the pass that is due: the first by locating, a later one that a crash cut short by looking again."""
    if run.pass_no <= 1 and run.held is not None:
        await held_pass(run, run.held.items)
    elif run.pass_no <= 1:
        await first_pass(run, categories=categories_of(run) if run.task.action is Action.RECTIFY else None)
    else:
        await later_pass(run, (await look_again(run)).residue)


async def _verified(run: Run) -> Verdict | None:
    """Look again and settle; None when a further pass was opened over what still was there."""
    if not run.stored:
        return Settled((*nothing_found(run), *unknown_fields(run)))
    if not can_look(run):
        return _settled(run, None)
    wait = await _verification_due(run, run.serves)
    if wait is not None:
        return _until(run, wait)
    look = await look_again(run)
    if not look.residue:
        return _settled(run, look)
    if run.pass_no >= run.max_passes:
        return Park(AttentionReason.RESIDUE_REMAINS, "residue_remains")
    await run.wait_for(None)
    await later_pass(run, look.residue)
    return None


async def _resumed(run: Run, wait: Wait, answer: bytes | None) -> Verdict | None:
    """Ask about the vendor's job; None when it is over and its results are stored."""
    if answer is None and run.ctx.now() < wait.check_at:
        return _until(run, wait)
    begun = [item for _, item in sorted(run.stored.items()) if item.attempted]
    run.ctx.require_time(LEAST_TIME)  # time that we lack ourselves says nothing of the job
    outcome: object
    try:
        outcome = await run.caller.answer(run.processor.resume, wait, answer)
    except CannotFulfil as error:
        await give_up(run, [item for item in begun if item.result is None], reason_of(error))
        outcome = ()
    except RetryLater:
        if run.ctx.now() < wait.expect_by:
            raise
        return Park(AttentionReason.KEEPS_FAILING, JOB_OVERDUE)
    still = await take_answer(run, outcome, begun)
    if still is None:
        await run.wait_for(None)
        return None
    if run.ctx.now() >= still.expect_by:
        return Park(AttentionReason.KEEPS_FAILING, JOB_OVERDUE)
    return _until(run, still)


async def _verification_due(run: Run, serves: Serves) -> Wait | None:
    """Return the wait until it makes sense to look again, or None when it does now."""
    changed = any(item.attempted for item in run.stored.values() if item.pass_no == run.pass_no)
    if serves.verify_after <= 0 or not changed:
        return None
    if run.wait is None:
        due = run.ctx.now() + timedelta(seconds=serves.verify_after)
        await run.wait_for(Wait("", check_at=due, expect_by=due, reason=VERIFY_DUE))
    return run.wait if run.wait is not None and run.ctx.now() < run.wait.check_at else None


def _until(run: Run, wait: Wait) -> Again:
    seconds = (wait.check_at - run.ctx.now()).total_seconds()
    return Again(word(wait.reason, otherwise="waiting") or "waiting", Phase.WAITING_EXTERNAL, max(seconds, 1.0))


def _settled(run: Run, look: Look | None) -> Settled:
    def checked(item: StoredItem) -> Checked:
        return checked_by(look, item) if run.serves.verify else Checked.NOT_CHECKABLE

    return Settled(_told(run, checked), effects=run.effects)


def _told(run: Run, checked: Callable[[StoredItem], Checked]) -> tuple[OutcomeLine, ...]:
    return (*lines_of(fields_told(run), checked), *not_listed(run), *unknown_fields(run))


async def _refused(run: Run, error: CannotFulfil) -> Settled:
    """End the task: what was done stays told, unverified; what was begun has failed, and the rest is refused."""
    reason = reason_of(error)
    if run.located and run.task.action in EFFECTS:
        await fail(run, [item for item in run.pending() if item.attempted], reason)
        await refuse(run, run.pending(), reason)
    lines = _told(run, lambda _: Checked.NOT_CHECKABLE)
    if all(item.result is None for item in run.stored.values()):
        lines = (line(Disposition.REFUSED, Checked.NOT_CHECKABLE, reason=reason), *lines)
    return Settled(lines, effects=run.effects)


def _failing(run: Run, reason: str) -> Verdict:
    name = word(reason, otherwise="defect") or "defect"
    if run.ctx.attempt >= MOST_ATTEMPTS:
        return Park(AttentionReason.KEEPS_FAILING, name)
    return Again(name, counts=True)
