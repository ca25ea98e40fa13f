"""`habeas consumers`: see which of the orchestrator's consumers halted, and let them go on."""

from typing import Annotated

import typer

from habeas.cli.output import Output, Row, grid, when, word
from habeas.cli.server import talks
from habeas.client import Habeas

app = typer.Typer(
    no_args_is_help=True,
    help="See which of the orchestrator's consumers halted after too many failures; let them go on. Of other services: "
    "`habeas run connectors consumers list`, with that service's settings.",
)


@app.command("list", epilog="Example:  habeas consumers list")
@talks
def list_consumers(habeas: Habeas, out: Output) -> None:
    """List the orchestrator's consumers."""
    consumers = list(habeas.consumers.list())
    rows: list[Row] = [
        [
            consumer.service,
            consumer.name,
            word("halted" if consumer.halted else "running"),
            consumer.halted_reason or "-",
            when(consumer.halted_at),
        ]
        for consumer in consumers
    ]
    table = grid("SERVICE", "CONSUMER", "STATE", "REASON", "SINCE", rows=rows)
    out.many(consumers, table, nothing="No consumer is known yet.")


@app.command("resume", epilog="Example:  habeas consumers resume orchestrator orchestrator.reports")
@talks
def resume(
    habeas: Habeas,
    out: Output,
    *,
    service: Annotated[str, typer.Argument(help="Service, as listed: orchestrator.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Name, from `habeas consumers list`.", show_default=False)],
) -> None:
    """Let a halted consumer go on."""
    consumer = habeas.consumers.resume(service, name)
    out.one(consumer, f"{consumer.name} of {consumer.service} goes on.")
