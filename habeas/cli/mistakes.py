"""What a person at the command line did wrong or can mend, told in one plain line."""

from habeas.client import HabeasProblem


class Mistake(Exception):
    """The command cannot go on; the message is one line that says what to do about it."""


def one_line(problem: HabeasProblem) -> str:
    """Return a problem as one line: what, which fields, and the id to quote when asking for help."""
    fields = "".join(f"; {error.pointer or 'body'}: {error.detail.rstrip('.')}" for error in problem.errors)
    asked = f" [request id {problem.request_id}]" if problem.request_id else ""
    return f"{problem}{fields}{asked}"
