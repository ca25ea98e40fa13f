"""`habeas requests`: file requests and follow them."""

from itertools import islice
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from habeas.cli import filing, packages, watching
from habeas.cli.board import tasks_table
from habeas.cli.mistakes import Mistake
from habeas.cli.output import Output, Row, attention, facts, grid, outcome_lines, when, word
from habeas.cli.server import talks
from habeas.cli.waterfall import waterfall
from habeas.client import Habeas, NewRequest, Request

app = typer.Typer(no_args_is_help=True, help="File requests, follow them, and see what came of them.")

RequestId = Annotated[str, typer.Argument(help="Id of the request, such as req_01J...", show_default=False)]
PAGE = 100


@app.command(
    "file",
    epilog="Examples:\n\n"
    "habeas requests file --right erasure --email jane@example.com --contact jane@example.com\n\n"
    "habeas requests file --right access --customer-id c-42 --identity phone=+31201234567\n\n"
    "habeas requests file --right rectification --email jane@example.com --correct contact.phone=+31201234567\n\n"
    "habeas requests file --right erasure --from person.json    keeps the person out of the process list\n\n"
    '(person.json: {"subject": {"identities": [{"type": "email", "value": "jane@example.com"}]}})',
)
@talks
def file(
    habeas: Habeas,
    out: Output,
    *,
    right: Annotated[
        str | None, typer.Option(help="access, erasure, rectification, portability, restriction, objection, ...")
    ] = None,
    email: Annotated[list[str] | None, typer.Option(help="The subject's e-mail address; may be repeated.")] = None,
    customer_id: Annotated[list[str] | None, typer.Option(help="Your own id of the subject.")] = None,
    identity: Annotated[list[str] | None, typer.Option(metavar="TYPE=VALUE", help="Any other identity.")] = None,
    correct: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="What a rectification is to write.")
    ] = None,
    old: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Replace only this; else, whatever stands there.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="JSON of the request (`-`: standard input), as POST /v1/requests."),
    ] = None,
    contact: Annotated[str | None, typer.Option(help="E-mail address for notices; without it nobody is told.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the notices: en or nl.")] = None,
    country: Annotated[str | None, typer.Option(help="The subject's country, such as NL.")] = None,
    received_at: Annotated[str | None, typer.Option(help="When the person asked; now, if not said.")] = None,
    reference: Annotated[str | None, typer.Option(help="Your own reference; stored encrypted.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Filing again with it files nothing new.")] = None,
) -> None:
    """File a request: one person, one right."""
    named = filing.identities(email or [], customer_id or [], identity or [])
    options = NewRequest(
        right or "",
        named,
        contact=contact,
        language=language,
        country=country,
        received_at=filing.moment(received_at),
        reference=reference,
        corrections=filing.corrections(correct or [], old or []),
    )
    body = options.body()
    if source:
        body = filing.merged(source, options, {"right": right, "received_at": received_at, "reference": reference})
    elif not named:
        raise Mistake("who is it about? say --email, --customer-id, --identity or --from")
    if not body.get("right"):
        raise Mistake("which right? say --right erasure, --right access, ...")
    request = habeas.requests.file(body, idempotency_key=idempotency_key)
    out.one(
        request,
        Text.assemble("Filed ", (request.id, "bold"), f": {request.right}, due {request.due_on}"),
        f"Follow it with: habeas requests watch {request.id}",
    )


@app.command("list", epilog="Example:  habeas requests list --attention")
@talks
def list_requests(
    habeas: Habeas,
    out: Output,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as in_progress.")] = None,
    right: Annotated[str | None, typer.Option(help="Only this right, such as erasure.")] = None,
    processor: Annotated[str | None, typer.Option(help="Only those with a task at this processor.")] = None,
    attention_: Annotated[bool, typer.Option("--attention", help="Only those that need a person.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their due date.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List requests, the newest first."""
    found = habeas.requests.list(
        state=state,
        right=right,
        processor=processor,
        attention=attention_ or None,
        overdue=overdue or None,
        limit=min(limit, PAGE),
    )
    requests = list(islice(found, limit))
    rows = [_row(request) for request in requests]
    table = grid("REQUEST", "RIGHT", "STATE", "DUE", "TASKS", "OUTCOME", "ATTENTION", rows=rows)
    out.many(requests, table, nothing="No such requests.")


@app.command("show", epilog="Example:  habeas requests show req_01J...")
@talks
def show(habeas: Habeas, out: Output, *, request_id: RequestId) -> None:
    """Show one request: where it is, its tasks, and what came of it."""
    request = habeas.requests.get(request_id)
    tasks = list(habeas.requests.tasks(request_id))
    if out.as_json:
        out.one({**request.model_dump(mode="json"), "tasks": [task.model_dump(mode="json") for task in tasks]})
        return
    parts: list[RenderableType] = [facts(_facts(request))]
    if tasks:
        parts += [Text(), tasks_table(tasks)]
    if request.outcome and request.outcome.lines:
        parts += [Text(), outcome_lines(request.outcome)]
    out.one(request, *parts)


@app.command("trace", epilog="Example:  habeas requests trace req_01J... --json")
@talks
def trace(habeas: Habeas, out: Output, *, request_id: RequestId) -> None:
    """Show everything that happened to a request, as a waterfall in time."""
    entries = list(habeas.requests.timeline(request_id))
    out.many(entries, waterfall(entries), nothing="Nothing has happened yet.")


@app.command("watch", epilog="Example:  habeas requests watch req_01J... --timeout 600")
@talks
def watch(
    habeas: Habeas,
    out: Output,
    *,
    request_id: RequestId,
    timeout: Annotated[float, typer.Option(min=0, help="Give up after so many seconds.")] = 3600.0,
) -> None:
    """Watch a request, processor by processor, until it is over; then show what became of the data."""
    request = watching.until_settled(habeas, request_id, timeout=timeout, shown=None if out.as_json else out.console)
    parts: list[RenderableType] = [facts([("outcome", word(_headline(request) or str(request.state)))])]
    if request.outcome and request.outcome.lines:
        parts += [Text(), outcome_lines(request.outcome)]
    out.one(request, *parts)


app.command("package", epilog=packages.EPILOG)(packages.package)


@app.command("cancel", epilog="Example:  habeas requests cancel req_01J...")
@talks
def cancel(habeas: Habeas, out: Output, *, request_id: RequestId) -> None:
    """Withdraw a request, as long as nothing was changed for it."""
    request = habeas.requests.cancel(request_id)
    out.one(request, Text.assemble(f"{request.id} is ", word(request.state)))


@app.command("retry", epilog="Example:  habeas requests retry req_01J...")
@talks
def retry(habeas: Habeas, out: Output, *, request_id: RequestId) -> None:
    """Send what needs attention again: tasks that are stuck, and mails that came back or did not go out."""
    request = habeas.requests.retry(request_id)
    out.one(request, f"What needed attention in {request.id} is sent again.")


@app.command(
    "confirm-identities",
    epilog='Example:  habeas requests confirm-identities req_01J... --reason "both accounts are hers, she says"',
)
@talks
def confirm_identities(
    habeas: Habeas,
    out: Output,
    *,
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why; it stands on the timeline. No personal data.", show_default=False)],
) -> None:
    """Let a request go on that stopped because what was resolved may point to two people."""
    request = habeas.requests.confirm_identities(request_id, reason)
    out.one(request, f"{request.id} goes on.")


def _row(request: Request) -> Row:
    counts = request.task_counts
    return [
        request.id,
        str(request.right),
        word(request.state),
        Text(request.due_on.isoformat(), style="bold red" if request.overdue else ""),
        f"{counts.settled}/{counts.total}" if counts else "-",
        word(_headline(request)),
        attention(request.attention),
    ]


def _facts(request: Request) -> list[tuple[str, str | Text | None]]:
    late = " (overdue)" if request.overdue else ""
    return [
        ("request", request.id),
        ("case", request.case),
        ("right", str(request.right)),
        ("state", word(request.state)),
        ("outcome", word(_headline(request)) if request.outcome else None),
        ("attention", attention(request.attention) if request.attention else None),
        ("reference", request.reference),
        ("received", when(request.received_at)),
        ("due", f"{request.due_on}{late}"),
        ("completed", when(request.completed_at) if request.completed_at else None),
        ("informed", when(request.informed_at) if request.informed_at else None),
        ("follows", f"{request.follows} ({request.cause})" if request.follows else None),
    ]


def _headline(request: Request) -> str | None:
    return str(request.outcome.headline) if request.outcome else None
