"""Boards and waterfalls line up and show the latest."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from habeas.cli.board import board, tasks_table
from habeas.cli.waterfall import WIDTH, bar, offset, waterfall
from habeas.client import Task, TimelineEntry
from tests.unit.habeas.cli.conftest import OUTCOME, a_task

START = datetime(2026, 1, 31, 10, tzinfo=UTC)


def printed(table: object) -> list[str]:
    console = Console(width=200, no_color=True)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def task(**changes: object) -> Task:
    return Task.model_validate(a_task(**changes))


def test_board_has_a_row_per_processor_and_a_column_per_action_in_their_course() -> None:
    tasks = [
        task(id="tsk_1", processor="files", action="erase", state="waiting", phase=None),
        task(id="tsk_2", action="resolve", state="settled", phase=None, outcome=OUTCOME),
        task(id="tsk_3", action="erase", phase="retrying"),
    ]
    head, crm, files = printed(board(tasks))
    assert head.split() == ["PROCESSOR", "RESOLVE", "ERASE"]
    assert crm.split() == ["crm-eu", "fulfilled", "(3)", "retrying"]
    assert files.split() == ["files", "-", "waiting"]
    assert head.index("ERASE") == crm.index("retrying") == files.index("waiting")


def test_a_resolver_that_is_done_does_not_say_that_nothing_was_found() -> None:
    found = task(action="resolve", outcome={"headline": "nothing_found", "lines": []})
    failed = task(action="resolve", outcome={"headline": "not_fulfilled", "lines": []})
    assert printed(board([found]))[1].split() == ["crm-eu", "done"]
    assert printed(board([failed]))[1].split() == ["crm-eu", "not", "fulfilled"]


def test_a_processor_that_was_not_asked_did_not_fail() -> None:
    line = {"category": "all", "disposition": "not_applicable", "count": 0, "checked": "not_checkable"}
    unasked = task(action="erase", outcome={"headline": "not_fulfilled", "lines": [line]})
    assert printed(board([unasked]))[1].split() == ["crm-eu", "not", "applicable"]


def test_tasks_stand_in_the_order_they_were_made() -> None:
    tasks = [
        task(id="tsk_2", action="erase", created_at="2026-01-31T10:00:01Z"),
        task(id="tsk_1", action="resolve", created_at="2026-01-31T10:00:00Z"),
    ]
    assert [row.split()[0] for row in printed(tasks_table(tasks))[1:]] == ["tsk_1", "tsk_2"]


def test_board_shows_the_latest_round_and_attention_first() -> None:
    tasks = [
        task(round=2, attention={"reason": "keeps_failing", "since": START.isoformat()}),
        task(id="tsk_0", round=1, outcome=OUTCOME),
    ]
    assert printed(board(tasks))[1].split(maxsplit=1)[1] == "keeps failing"


def entry(sequence: int, seconds: float, **more: object) -> TimelineEntry:
    at = START + timedelta(seconds=seconds)
    return TimelineEntry.model_validate(
        {"sequence": sequence, "event": f"evt_{sequence}", "type": f"t{sequence}", "at": at, **more}
    )


def test_a_bar_runs_from_the_previous_fact_of_the_same_task() -> None:
    rows = printed(waterfall([entry(1, 0), entry(2, 4, task="a"), entry(3, 8, task="b"), entry(4, 16, task="a")]))
    bars = [line.split()[2] for line in rows[1:]]
    half, quarter = WIDTH // 2, WIDTH // 4
    assert bars[0] == "●" + "·" * (WIDTH - 1)
    assert bars[1] == "━" * quarter + "●" + "·" * (WIDTH - 1 - quarter)
    assert bars[2] == "━" * half + "●" + "·" * (half - 1)
    assert bars[3] == "·" * quarter + "━" * (WIDTH - 1 - quarter) + "●"


def test_everything_at_once_is_a_dot() -> None:
    assert bar(START, START, START, START) == "●" + "·" * (WIDTH - 1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "+0.250 s"), (90, "+1.5 min"), (5400, "+1.5 h"), (129_600, "+1.5 d")]
)
def test_offsets_are_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert offset(START + timedelta(seconds=seconds), START) == text


def test_where_a_terminal_is_narrow_the_last_column_gives_way() -> None:
    console = Console(width=80, no_color=True)
    with console.capture() as capture:
        console.print(waterfall([entry(1, 0, processor="crm-eu", actor="cli_" + "X" * 26)]))
    head, *rows = capture.get().splitlines()
    assert "PROCESSOR" in head
    assert "crm-eu" in rows[0]
    assert "".join(row[head.index("DETAIL") :].strip() for row in rows) == "by=cli_" + "X" * 26


def test_details_leave_what_is_nested_to_json() -> None:
    (_, row) = printed(waterfall([entry(1, 0, detail={"b": 2, "a": "x", "nested": {"c": 1}})]))
    assert row.endswith("a=x b=2")
