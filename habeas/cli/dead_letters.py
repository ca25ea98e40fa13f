"""`habeas dead-letters`: look at records that the orchestrator could not take, and decide on them."""

from typing import Annotated

import typer

from habeas.cli.output import Output, Row, facts, grid, when, word
from habeas.cli.server import talks
from habeas.client import DeadLetter, Habeas

app = typer.Typer(
    no_args_is_help=True,
    help="Look at records that the orchestrator could not take, and decide on them. The other services keep their own: "
    "`habeas run connectors dead-letters list`, with that service's settings.",
)

Service = Annotated[str, typer.Argument(help="Service, as listed: orchestrator.", show_default=False)]
LetterId = Annotated[str, typer.Argument(help="Id, from `habeas dead-letters list`.", show_default=False)]


@app.command("list", epilog="Example:  habeas dead-letters list")
@talks
def list_letters(habeas: Habeas, out: Output) -> None:
    """List the orchestrator's dead letters."""
    letters = list(habeas.dead_letters.list())
    table = grid("ID", "SERVICE", "CONSUMER", "RECORD", "REASON", "STATE", "AT", rows=map(_row, letters))
    out.many(letters, table, nothing="No dead letters.")


@app.command("show", epilog="Example:  habeas dead-letters show orchestrator 7")
@talks
def show(habeas: Habeas, out: Output, *, service: Service, letter_id: LetterId) -> None:
    """Show where a dead letter came from and why it was not taken."""
    letter = habeas.dead_letters.get(service, letter_id)
    shown = facts(
        [
            ("dead letter", str(letter.id)),
            ("service", letter.service),
            ("consumer", letter.consumer),
            ("record", _record(letter)),
            ("event", letter.event),
            ("reason", letter.reason),
            ("proven", "yes" if letter.proven else "no: nobody knows who sent it"),
            ("state", word(letter.state)),
            ("at", when(letter.at)),
            ("expires", when(letter.expires_at)),
            ("dealt with", when(letter.dealt_at) if letter.dealt_at else None),
            ("by", letter.dealt_by),
            ("because", letter.dealt_reason),
        ]
    )
    out.one(letter, shown)


@app.command("redrive", epilog="Example:  habeas dead-letters redrive orchestrator 7")
@talks
def redrive(habeas: Habeas, out: Output, *, service: Service, letter_id: LetterId) -> None:
    """Give a dead letter to its consumer again."""
    letter = habeas.dead_letters.redrive(service, letter_id)
    out.one(letter, f"Dead letter {letter.id} of {letter.service} is sent again.")


@app.command("discard", epilog='Example:  habeas dead-letters discard orchestrator 7 --reason "a test record"')
@talks
def discard(
    habeas: Habeas,
    out: Output,
    *,
    service: Service,
    letter_id: LetterId,
    reason: Annotated[str, typer.Option(help="Why; recorded. No personal data.", show_default=False)],
) -> None:
    """Give a dead letter up for good."""
    letter = habeas.dead_letters.discard(service, letter_id, reason)
    out.one(letter, f"Dead letter {letter.id} of {letter.service} is discarded.")


def _row(letter: DeadLetter) -> Row:
    state, at = word(letter.state), when(letter.at)
    return [str(letter.id), letter.service, letter.consumer, _record(letter), letter.reason, state, at]


def _record(letter: DeadLetter) -> str:
    return f"{letter.topic} {letter.partition}@{letter.offset}"
