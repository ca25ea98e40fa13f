"""Arrivals come to the same end however they are cut into batches, doubled and mixed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts import ids
from contracts.tasks import TaskCancelled, TaskClosed, TaskDispatched
from habeas.vocabulary import Action, Right
from services.connectors.domain.arrivals import Decisions, Known, Wanted, decide, gather

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TASK, REQUEST, CLIENT = ids.new("tsk"), ids.new("req"), ids.new("cli")

Body = TaskDispatched | TaskCancelled | TaskClosed


def dispatched(number: int, *, lives: float = 60.0) -> TaskDispatched:
    return TaskDispatched(
        livemode=True,
        task_id=TASK,
        request_id=REQUEST,
        processor="crm",
        client_id=CLIENT,
        dispatch_no=number,
        action=Action.ERASE,
        right=Right.ERASURE,
        round=0,
        manifest_version=1,
        not_after=NOW + timedelta(seconds=lives),
        forget_after=NOW + timedelta(days=45),
        due_at=NOW + timedelta(days=30),
        sealed=f"seal-{number}",
    )


def cancelled(number: int) -> TaskCancelled:
    return TaskCancelled(
        livemode=True,
        task_id=TASK,
        request_id=REQUEST,
        processor="crm",
        client_id=CLIENT,
        dispatch_no=number,
        not_after=NOW + timedelta(seconds=60),
    )


def closed(number: int) -> TaskClosed:
    return TaskClosed(
        livemode=True, task_id=TASK, request_id=REQUEST, processor="crm", client_id=CLIENT, dispatch_no=number
    )


def outcome(decisions: Decisions) -> str | None:
    """Name the one list that the task ended in."""
    chosen = [name for name in Decisions.__slots__ if getattr(decisions, name)]
    assert len(chosen) <= 1
    return chosen[0] if chosen else None


def decided(stored: Known | None, *bodies: Body) -> str | None:
    wanted, _ = gather(((body, None) for body in bodies), now=NOW)
    return outcome(decide(wanted, {} if stored is None else {TASK: stored}))


def test_what_becomes_of_an_unknown_task() -> None:
    assert decided(None, dispatched(1)) == "store"
    assert decided(None, dispatched(1), cancelled(1)) == "store"
    assert decided(None, cancelled(1)) == "bury"
    assert decided(None, closed(1), dispatched(1)) == "bury"
    assert decided(None, dispatched(1, lives=-1)) is None


def test_what_becomes_of_an_open_task() -> None:
    known = Known("open", 2)
    assert decided(known, dispatched(2)) is None
    assert decided(known, dispatched(1)) is None
    assert decided(known, dispatched(3)) == "renew"
    assert decided(known, cancelled(2)) == "cancel"
    assert decided(Known("open", 2, cancelled=True), cancelled(2)) is None
    assert decided(known, dispatched(3), closed(3)) == "close"


def test_what_becomes_of_a_task_that_is_over() -> None:
    settled = Known("settled", 2)
    assert decided(settled, dispatched(2)) is None
    assert decided(settled, dispatched(3)) == "repeat"
    assert decided(settled, cancelled(3)) == "repeat"
    assert decided(settled, closed(2)) == "close"
    assert decided(Known("closed", 2), closed(2)) is None
    assert decided(Known("closed", 2), dispatched(3)) == "repeat"


def apply(stored: Known | None, *batch: Body) -> Known | None:
    """Play what the handler does with one batch, leaving the worker out."""
    wanted, _ = gather(((body, None) for body in batch), now=NOW)
    decisions = decide(wanted, {} if stored is None else {TASK: stored})
    one: Wanted = wanted[TASK]
    number = max(one.dispatch_no, stored.dispatch_no if stored else 0)
    match outcome(decisions):
        case "store" | "renew":
            return Known("open", number, cancelled=one.cancelled or bool(stored and stored.cancelled))
        case "cancel":
            return Known("open", number, cancelled=True)
        case "close":
            return Known("closed", stored.dispatch_no if stored else 0, cancelled=bool(stored and stored.cancelled))
        case "bury":
            return Known("closed" if one.closed else "settled", number, cancelled=one.cancelled)
        case "repeat":
            assert stored is not None
            return Known(stored.state, number, cancelled=stored.cancelled)
        case _:
            return stored


HISTORY: list[Body] = [dispatched(1), dispatched(2), cancelled(2), closed(2)]


@given(st.permutations(HISTORY * 2), st.lists(st.integers(1, 4), min_size=8, max_size=8))
def test_a_whole_history_ends_closed_however_it_arrives(history: list[Body], cuts: list[int]) -> None:
    stored: Known | None = None
    rest = list(history)
    for cut in cuts:
        batch, rest = rest[:cut], rest[cut:]
        if batch:
            stored = apply(stored, *batch)
    assert stored is not None
    assert stored.state == "closed"


@given(st.permutations([dispatched(1), dispatched(2), dispatched(3)] * 2))
def test_the_latest_dispatch_wins(history: list[Body]) -> None:
    stored: Known | None = None
    for body in history:
        stored = apply(stored, body)
    assert stored == Known("open", 3)


def test_the_latest_seal_of_a_batch_is_taken() -> None:
    wanted, _ = gather([(dispatched(2), "second"), (dispatched(1), "first")], now=NOW)
    one = wanted[TASK]
    assert one.dispatch is not None
    assert (one.dispatch.sealed, one.traceparent) == ("seal-2", "second")


def test_late_messages_are_counted_and_closings_are_never_late() -> None:
    wanted, late = gather([(dispatched(1, lives=-1), None), (closed(1), None)], now=NOW)
    assert late == 1
    assert wanted[TASK].closed
