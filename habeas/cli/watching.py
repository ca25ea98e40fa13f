"""Follows a request until it is over: a live board on a terminal, a line per change elsewhere."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from habeas.cli.board import board, cell
from habeas.cli.output import word
from habeas.client import Habeas, NotSettledInTime, Request, Task

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

Show = Callable[[Request, Sequence[Task]], None]


def until_settled(habeas: Habeas, request_id: str, *, timeout: float, shown: Console | None) -> Request:
    """Return the request once it is over, showing its course on the console `shown`; raise `NotSettledInTime`."""
    started = time.monotonic()
    pause = FIRST_PAUSE
    with _view(shown) as show:
        while True:
            request = habeas.requests.get(request_id)
            show(request, list(habeas.requests.tasks(request_id)))
            if request.is_settled:
                return request
            waited = time.monotonic() - started
            if waited >= timeout:
                attention = request.attention.reason if request.attention else None
                raise NotSettledInTime(request.id, state=str(request.state), attention=attention, waited=round(waited))
            time.sleep(min(pause, timeout - waited))
            pause = min(pause * 1.3, LONGEST_PAUSE)


def _view(shown: Console | None) -> AbstractContextManager[Show]:
    if shown is None:
        return nullcontext(_show_nothing)
    return _LiveBoard(shown) if shown.is_terminal else nullcontext(_Lines(shown))


def _show_nothing(request: Request, tasks: Sequence[Task]) -> None:
    """For programs, which read the end alone."""


class _LiveBoard:
    """Redraws the board in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Show:
        self._live.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _show(self, request: Request, tasks: Sequence[Task]) -> None:
        title = Text.assemble((request.id, "bold"), f"  {request.right}  ", word(request.state))
        self._live.update(Group(title, board(tasks)), refresh=True)


class _Lines:
    """Prints a line for each thing that changed since it was last asked."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __call__(self, request: Request, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self._tell(task.id, f"{task.processor}  {task.action}  {cell(task)}")
        self._tell(request.id, f"{request.id}  {word(request.state)}")

    def _tell(self, id_: str, text: str) -> None:
        if self._seen.get(id_) != text:
            self._seen[id_] = text
            self._console.print(text, markup=False)
