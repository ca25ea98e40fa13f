"""Tasks as people look at them: a board of processors by actions, and a plain table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from habeas.cli.output import Row, attention, grid, when, word
from habeas.client import Task
from habeas.vocabulary import Action, Disposition, Headline

# The order in which a request goes through them (DESIGN: resolve first, export before erase).
COURSE = ("resolve", "preview", "export", "erase", "rectify", "restrict", "lift", "stop", "recheck")


def board(tasks: Sequence[Task]) -> Table:
    """Return processors as rows and actions as columns; each field says how far the latest task there has come."""
    actions = sorted({str(task.action) for task in tasks}, key=_course)
    latest = {(task.processor, str(task.action)): task for task in sorted(tasks, key=lambda task: task.round)}
    rows: list[Row] = [
        [processor, *(cell(latest.get((processor, action))) for action in actions)]
        for processor in sorted({task.processor for task in tasks})
    ]
    return grid("PROCESSOR", *(action.upper() for action in actions), rows=rows)


def cell(task: Task | None) -> Text:
    """Return how far one task has come: its outcome, what it does meanwhile, or its state."""
    if task is None:
        return Text("-", style="dim")
    if task.attention:
        return attention(task.attention)
    if task.outcome:
        return headline(task).append(_counted(task), style="dim")
    return word(task.phase or task.state)


def headline(task: Task) -> Text:
    """Return what came of a task, in one word."""
    if task.outcome and task.action == Action.RESOLVE and task.outcome.headline == Headline.NOTHING_FOUND:
        return Text("done", style="green")  # it looks for identities: that it touched no data is no news
    lines = task.outcome.lines if task.outcome else ()
    if lines and all(line.disposition == Disposition.NOT_APPLICABLE for line in lines):
        return Text("not applicable", style="dim")  # it was not asked; its own headline would sound like a failure
    return word(task.outcome.headline if task.outcome else None)


def tasks_table(tasks: Sequence[Task]) -> Table:
    """Return one row per task, in the order that they were made."""
    rows: list[Row] = [
        (
            task.id,
            task.processor,
            str(task.action),
            str(task.round),
            word(task.state),
            word(task.phase),
            headline(task),
            when(task.settled_at),
            attention(task.attention),
        )
        for task in sorted(tasks, key=_made)
    ]
    return grid("TASK", "PROCESSOR", "ACTION", "ROUND", "STATE", "PHASE", "OUTCOME", "SETTLED", "ATTENTION", rows=rows)


def _counted(task: Task) -> str:
    count = sum(line.count for line in task.outcome.lines) if task.outcome else 0
    return f" ({count})" if count else ""


def _made(task: Task) -> tuple[float, int, str]:
    return (task.created_at.timestamp() if task.created_at else 0.0, *_course(str(task.action)))


def _course(action: str) -> tuple[int, str]:
    return (COURSE.index(action) if action in COURSE else len(COURSE), action)
