"""`habeas processors`: admit processors, approve what they ask for, retire them."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from habeas.cli.mistakes import Mistake
from habeas.cli.output import Output, grid, when, word
from habeas.cli.server import local_processors, talks
from habeas.client import Enrolment, Habeas, Processor

app = typer.Typer(no_args_is_help=True, help="Admit processors, approve what they ask for, retire them.")

ProcessorId = Annotated[str, typer.Argument(help="Id of the processor, such as crm-eu.", show_default=False)]


@app.command("list", epilog="Example:  habeas processors list")
@talks
def list_processors(habeas: Habeas, out: Output) -> None:
    """List the processors and what each does."""
    processors = list(habeas.processors.list())
    columns = ("PROCESSOR", "KIND", "STATE", "MANIFEST", "ACTIONS", "ACCEPTS", "RESOLVES", "OPEN", "ANNOUNCED")
    out.many(processors, grid(*columns, rows=map(_row, processors)), nothing="No processor is enrolled yet.")


@app.command("enrol", epilog="Example:  habeas processors enrol crm-eu --kind hubspot --folder /etc/habeas/processors")
@talks
def enrol(
    habeas: Habeas,
    out: Output,
    *,
    processor_id: ProcessorId,
    kind: Annotated[str, typer.Option(help="Which code serves it, such as hubspot.", show_default=False)],
    folder: Annotated[
        Path | None,
        typer.Option(
            envvar="HABEAS_PROCESSORS_DIR",
            help="The connector host's folder of processors; if not said, the local stack's, or else ./processors.",
        ),
    ] = None,
) -> None:
    """Admit a processor, and write its secret to <folder>/<id>/enrolment.key for the connector host."""
    path = _place(folder or local_processors(habeas.url) or Path("processors"), processor_id)
    enrolment = habeas.processors.enrol(processor_id, kind)
    _write_key(path, enrolment)
    known = {**enrolment.model_dump(mode="json", exclude={"secret"}), "file": str(path)}
    out.one(known, f"Enrolled {processor_id}. Its secret is in {path}; settings.toml and secrets/ belong beside it.")


@app.command("retire", epilog='Example:  habeas processors retire crm-eu --reason "contract ended"')
@talks
def retire(
    habeas: Habeas,
    out: Output,
    *,
    processor_id: ProcessorId,
    reason: Annotated[str, typer.Option(help="Why; recorded. No personal data.", show_default=False)],
) -> None:
    """Ask nothing of this processor any more."""
    processor = habeas.processors.retire(processor_id, reason)
    out.one(processor, f"{processor.id} is retired.")


@app.command("approve", epilog="Example:  habeas processors approve crm-eu")
@talks
def approve(habeas: Habeas, out: Output, *, processor_id: ProcessorId) -> None:
    """Approve the manifest that waits because it asks for more than the one before."""
    processor = habeas.processors.approve(processor_id)
    out.one(processor, f"{processor.id} now has manifest version {processor.manifest_version}.")


def _row(processor: Processor) -> list[str]:
    pending = processor.pending_manifest_version
    waits = f" ({pending} waits for approval)" if pending else ""
    return [
        processor.id,
        processor.kind,
        str(word(processor.state)),
        f"{processor.manifest_version or '-'}{waits}",
        ", ".join(processor.actions) or "-",
        ", ".join(processor.accepts) or "-",
        ", ".join(processor.resolves) or "-",
        str(processor.open_tasks),
        when(processor.announced_at),
    ]


def _place(folder: Path, processor_id: str) -> Path:
    """Return where the key will go, with the folder made: an enrolment whose key can't be kept must not happen."""
    if "/" in processor_id or processor_id in ("", ".", ".."):
        raise Mistake("a processor's id is made of small letters, digits and dashes, such as crm-eu")
    path = folder / processor_id / "enrolment.key"
    if path.exists():
        msg = f"{path} exists already: move it away to enrol {processor_id} anew"
        raise Mistake(msg)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make {path.parent}: {error.strerror}"
        raise Mistake(msg) from None
    if not os.access(path.parent, os.W_OK):
        msg = f"cannot write in {path.parent}"
        raise Mistake(msg)
    return path


def _write_key(path: Path, enrolment: Enrolment) -> None:
    """Write the key whole or not at all, for its owner only: the host watches the folder and may read at any time."""
    fields = enrolment.model_dump(include={"processor", "kind", "enrolment", "version", "secret"})
    partial = path.with_name(".enrolment.key.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(fields, file)
    partial.replace(path)
