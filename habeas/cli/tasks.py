"""`habeas tasks`: repair single tasks."""

from typing import Annotated

import typer

from habeas.cli.output import Output
from habeas.cli.server import talks
from habeas.client import Habeas

app = typer.Typer(no_args_is_help=True, help="Repair single tasks: send one again, or give one up.")

TaskId = Annotated[str, typer.Argument(help="Id of the task, from `habeas requests show`.", show_default=False)]


@app.command("retry", epilog="Example:  habeas tasks retry tsk_01J...")
@talks
def retry(habeas: Habeas, out: Output, *, task_id: TaskId) -> None:
    """Send an unsettled task again."""
    task = habeas.tasks.retry(task_id)
    out.one(task, f"{task.action} at {task.processor} is sent again (number {task.dispatch_no}).")


@app.command("skip", epilog='Example:  habeas tasks skip tsk_01J... --reason "supplier went out of business"')
@talks
def skip(
    habeas: Habeas,
    out: Output,
    *,
    task_id: TaskId,
    reason: Annotated[str, typer.Option(help="Why; it stands on the timeline. No personal data.", show_default=False)],
) -> None:
    """Give a task up; the request can then be fulfilled in part at most."""
    task = habeas.tasks.skip(task_id, reason)
    out.one(task, f"{task.action} at {task.processor} is given up.")
