"""When a hold ends, and what the request that follows has to do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.outcomes import Line, Outcome
from habeas.vocabulary import Action, Checked, Disposition, TaskState
from services.orchestrator.domain.holds import PATIENCE, carry_on, end_of_hold, holds_of, is_follow_up
from services.orchestrator.domain.planning import Candidate, Standing
from services.orchestrator.domain.task import ProcessorTask

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ENDS = date(2034, 1, 1)
ZONES = st.sampled_from(
    ["Europe/Amsterdam", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Etc/GMT+12", "UTC"]
)


@pytest.mark.parametrize(
    ("zone", "until", "at"),
    [
        ("Europe/Amsterdam", ENDS, datetime(2034, 1, 1, tzinfo=UTC)),  # an hour after the controller's midnight
        ("Europe/Amsterdam", date(2028, 2, 29), datetime(2028, 2, 29, tzinfo=UTC)),
        ("America/New_York", ENDS, datetime(2034, 1, 1, 5, tzinfo=UTC)),
        ("America/New_York", date(2034, 7, 1), datetime(2034, 7, 1, 4, tzinfo=UTC)),
        ("Europe/Amsterdam", date.max, datetime(9999, 12, 31, tzinfo=UTC)),
        ("Etc/GMT+12", date.max, datetime(9999, 12, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_day_begins_when_it_has_begun_for_controller_and_connectors(zone: str, until: date, at: datetime) -> None:
    assert end_of_hold(until, zone) == at


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(9000, 1, 1)), ZONES)
def test_at_the_end_of_a_hold_its_day_has_come_everywhere_that_counts_and_not_long_ago(until: date, zone: str) -> None:
    at = end_of_hold(until, zone)
    days = (at.date(), at.astimezone(ZoneInfo(zone)).date())
    assert min(days) >= until
    before = at - timedelta(microseconds=1)
    assert min(before.date(), before.astimezone(ZoneInfo(zone)).date()) < until


def line(disposition: Disposition, until: date | None = None) -> Line:
    ground = "tax_law" if disposition is Disposition.RETAINED else None
    return Line(
        category="invoices", disposition=disposition, count=3, checked=Checked.VERIFIED, ground=ground, until=until
    )


def test_every_line_that_keeps_something_is_a_hold_by_its_place() -> None:
    outcome = Outcome.of((line(Disposition.ERASED), line(Disposition.RETAINED, ENDS), line(Disposition.RETAINED)))
    found = holds_of(outcome, zone="Europe/Amsterdam", now=NOW)
    assert [(hold.ordinal, hold.until, hold.due_at) for hold in found] == [
        (1, ENDS, end_of_hold(ENDS, "Europe/Amsterdam")),
        (2, None, None),
    ]


def test_what_is_kept_although_its_day_has_come_is_asked_about_later() -> None:
    (hold,) = holds_of(Outcome.of((line(Disposition.RETAINED, NOW.date()),)), zone="UTC", now=NOW)
    assert hold.due_at == NOW + PATIENCE


def task(processor: str, state: TaskState = TaskState.WAITING, *, sent: int = 0) -> ProcessorTask:
    name = f"tsk_{processor}"
    following = {"follows": "tsk_0", "held_until": ENDS}
    return ProcessorTask(name, "req_1", processor, Action.ERASE, 0, state, dispatch_no=sent, **following)  # type: ignore[arg-type]


def served(processor: str, *actions: Action) -> Candidate:
    return Candidate(processor, "kind", Standing.SERVED, 1, serves=frozenset(actions or (Action.ERASE,)))


def test_a_follow_up_is_known_by_what_its_tasks_follow() -> None:
    assert is_follow_up([task("billing")])
    assert not is_follow_up([ProcessorTask("tsk_1", "req_1", "billing", Action.ERASE, 0, TaskState.READY)])


def test_its_tasks_go_where_they_are_served_and_no_others_are_added() -> None:
    plan = carry_on([task("billing")], [served("billing"), served("crm-eu")])
    assert (list(plan.ready), plan.add, plan.done) == (["tsk_billing"], (), False)


def test_a_resolver_is_not_asked() -> None:
    plan = carry_on([task("billing")], [served("billing"), served("crm-eu", Action.RESOLVE, Action.ERASE)])
    assert not plan.add


def test_who_never_announced_is_waited_for() -> None:
    plan = carry_on([task("billing")], [Candidate("billing", "kind", Standing.NEVER_ANNOUNCED)])
    assert (plan.ready, plan.give_up, plan.done) == ([], [], False)


@pytest.mark.parametrize("candidates", [[Candidate("billing", "kind", Standing.RETIRED)], []])
def test_who_was_retired_is_given_up(candidates: list[Candidate]) -> None:
    plan = carry_on([task("billing")], candidates)
    assert (plan.give_up, plan.done) == (["tsk_billing"], True)


def test_who_no_longer_erases_is_settled() -> None:
    plan = carry_on([task("billing")], [served("billing", Action.EXPORT)])
    assert (plan.settle, plan.done) == ({"tsk_billing": "right_not_served"}, True)


def test_what_was_sent_is_waited_for_and_what_is_over_is_done() -> None:
    sent = task("billing", TaskState.DISPATCHED, sent=1)
    assert carry_on([sent], [served("billing")]).done is False
    over = task("billing", TaskState.SETTLED, sent=1)
    assert carry_on([over], [served("billing")]).done is True
