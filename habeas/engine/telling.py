"""Tells what became of a task whose items are not all there is to say."""

from habeas.engine.lines import line
from habeas.engine.ports import OutcomeLine
from habeas.engine.run import Run
from habeas.vocabulary import Checked, Disposition


def not_listed(run: Run) -> tuple[OutcomeLine, ...]:
    """Return a line for everything that the vendor could not list: nobody may take it for "nothing there"."""
    return tuple(
        OutcomeLine(one.category, Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason=one.reason)
        for one in sorted(run.unlisted, key=lambda each: (each.category, each.reason))
    )


def nothing_found(run: Run) -> tuple[OutcomeLine, ...]:
    """Return the lines of a task for which nothing was found: that nothing is there, or that nobody can tell."""
    return not_listed(run) or (line(Disposition.NOT_FOUND, Checked.VERIFIED),)
