"""Follows requests until they are over: live boards on a terminal, a line per change elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from habeas.cli.board import board, cell
from habeas.cli.output import word
from habeas.client import Habeas, NotSettledInTime, Request, Task

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

Watched = tuple[Request, Sequence[Task]]
Show = Callable[[Sequence[Watched]], None]


def until_settled(habeas: Habeas, request_id: str, *, timeout: float, shown: Console | None) -> Request:
    """Return the request once it is over, showing its course on the console `shown`; raise `NotSettledInTime`."""
    return until_all_settled(habeas, [request_id], timeout=timeout, shown=shown)[0]


def until_all_settled(
    habeas: Habeas, request_ids: Sequence[str], *, timeout: float, shown: Console | None
) -> list[Request]:
    """Return the requests once all are over, showing their course on the console `shown`; raise `NotSettledInTime`."""
    started = time.monotonic()
    pause = FIRST_PAUSE
    watched: dict[str, Watched] = {}
    with _view(shown) as show:
        while True:
            for one in request_ids:
                if one not in watched or not watched[one][0].is_settled:
                    watched[one] = habeas.requests.get(one), list(habeas.requests.tasks(one))
            show([watched[one] for one in request_ids])
            late = [request for request, _ in watched.values() if not request.is_settled]
            if not late:
                return [watched[one][0] for one in request_ids]
            waited = time.monotonic() - started
            if waited >= timeout:
                raise _too_late(late[0], waited)
            time.sleep(min(pause, timeout - waited))
            pause = min(pause * 1.3, LONGEST_PAUSE)


def _too_late(request: Request, waited: float) -> NotSettledInTime:
    attention = request.attention.reason if request.attention else None
    return NotSettledInTime(request.id, state=str(request.state), attention=attention, waited=round(waited))


def _view(shown: Console | None) -> AbstractContextManager[Show]:
    if shown is None:
        return nullcontext(_show_nothing)
    return _LiveBoard(shown) if shown.is_terminal else nullcontext(_Lines(shown))


def _show_nothing(watched: Sequence[Watched]) -> None:
    """For programs, which read the end alone."""


class _LiveBoard:
    """Redraws the boards in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Show:
        self._live.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _show(self, watched: Sequence[Watched]) -> None:
        self._live.update(Group(*_spaced(watched)), refresh=True)


def _spaced(watched: Sequence[Watched]) -> Iterator[RenderableType]:
    for place, (request, tasks) in enumerate(watched):
        if place:
            yield ""
        yield Text.assemble((request.id, "bold"), f"  {request.right}  ", word(request.state))
        yield board(tasks)


class _Lines:
    """Prints a line for each thing that changed since it was last asked."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __call__(self, watched: Sequence[Watched]) -> None:
        for request, tasks in watched:
            whose = f"{request.right}  " if len(watched) > 1 else ""
            for task in tasks:
                self._tell(task.id, f"{whose}{task.processor}  {task.action}  {cell(task)}")
            self._tell(request.id, f"{request.id}  {word(request.state)}")

    def _tell(self, id_: str, text: str) -> None:
        if self._seen.get(id_) != text:
            self._seen[id_] = text
            self._console.print(text, markup=False)
