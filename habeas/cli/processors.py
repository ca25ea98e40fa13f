"""`habeas processors`: admit processors, approve what they ask for, rotate their secrets, retire them."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from habeas.cli.mistakes import Mistake
from habeas.cli.output import Output, console, grid, when, word
from habeas.cli.server import local_processors, talks
from habeas.client import Asks, Enrolment, Habeas, Processor

app = typer.Typer(
    no_args_is_help=True, help="Admit processors, approve what they ask for, rotate their secrets, retire them."
)

ProcessorId = Annotated[str, typer.Argument(help="Id of the processor, such as crm-eu.", show_default=False)]
Folder = Annotated[
    Path | None,
    typer.Option(
        envvar="HABEAS_PROCESSORS_DIR",
        help="The connector host's folder of processors; if not said, the local stack's, or else ./processors.",
    ),
]

COLUMNS = (
    "PROCESSOR", "KIND", "MODE", "STATE", "COUNTRY", "MANIFEST", "KEY", "ACTIONS", "ACCEPTS", "RESOLVES", "OPEN",
    "ANNOUNCED",
)  # fmt: skip


@app.command("list", epilog="Example:  habeas processors list")
@talks
def list_processors(habeas: Habeas, out: Output) -> None:
    """List the processors and what each does."""
    processors = list(habeas.processors.list())
    out.many(processors, grid(*COLUMNS, rows=map(_row, processors)), nothing="No processor is enrolled yet.")


@app.command("enrol", epilog="Example:  habeas processors enrol crm-eu --kind hubspot --folder /etc/habeas/processors")
@talks
def enrol(
    habeas: Habeas,
    out: Output,
    *,
    processor_id: ProcessorId,
    kind: Annotated[str, typer.Option(help="Which code serves it, such as hubspot.", show_default=False)],
    test: Annotated[
        bool, typer.Option("--test", help="For rehearsals: requests of hab_test_ keys ask it, and no others.")
    ] = False,
    folder: Folder = None,
) -> None:
    """Admit a processor, and write its secret to <folder>/<id>/enrolment.key for the connector host."""
    path = _place(_folder(habeas, folder), processor_id)
    enrolment = habeas.processors.enrol(processor_id, kind, livemode=not test)
    known = _write_key(path, enrolment)
    mode = " for rehearsals" if test else ""
    out.one(
        known, f"Enrolled {processor_id}{mode}. Its secret is in {path}; settings.toml and secrets/ belong beside it."
    )


@app.command("rotate", epilog="Example:  habeas processors rotate crm-eu --folder /etc/habeas/processors")
@talks
def rotate(habeas: Habeas, out: Output, *, processor_id: ProcessorId, folder: Folder = None) -> None:
    """Make the next version of a processor's secret, and write it to <folder>/<id>/enrolment.<version>.key."""
    home = _home(_folder(habeas, folder), processor_id)
    enrolment = habeas.processors.rotate(processor_id)
    path = home / f"enrolment.{enrolment.version}.key"
    known = _write_key(path, enrolment)
    then = f"habeas processors revoke {processor_id} --below {enrolment.version}"
    out.one(
        known,
        f"Version {enrolment.version} of {processor_id}'s secret is in {path}; leave the others beside it. "
        f"It is used once the host has announced it: see KEY in `habeas processors list`, then `{then}`.",
    )


@app.command("revoke", epilog="Example:  habeas processors revoke crm-eu --below 2")
@talks
def revoke(
    habeas: Habeas,
    out: Output,
    *,
    processor_id: ProcessorId,
    below: Annotated[int, typer.Option(min=2, help="The lowest version that is still believed.", show_default=False)],
) -> None:
    """Believe no older version of a processor's secret any more, from now on."""
    processor = habeas.processors.revoke(processor_id, below)
    lowest = processor.min_secret_version
    if any(version >= lowest for version in processor.announced_versions):
        then = "the key files of the others can be deleted."
    else:
        then = "its host has announced none of those: it is sent nothing new until it does."
    out.one(processor, f"Versions of {processor.id}'s secret are believed from {lowest} on; {then}")


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
def approve(
    habeas: Habeas,
    out: Output,
    *,
    processor_id: ProcessorId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before; at a terminal it does.")] = False,
) -> None:
    """Show what the manifest that waits asks for beyond the one before, and approve that one."""
    found = next((one for one in habeas.processors.list() if one.id == processor_id), None)
    version = found.pending_manifest_version if found else None
    if found is not None and version is not None:
        asked = f"Manifest version {version} of {processor_id} {_asks(found) or 'asks for nothing more'}."
        console(stderr=True).print(asked, markup=False)
        if sys.stdin.isatty() and not yes and not typer.confirm("Allow it?", err=True):
            raise Mistake("nothing was approved")
    processor = habeas.processors.approve(processor_id, manifest_version=version)
    out.one(processor, f"{processor.id} now has manifest version {processor.manifest_version}.")


def _asks(processor: Processor) -> str:
    """Return in words what the manifest that waits would newly be allowed, empty for nothing."""
    asks = processor.pending_asks or Asks()
    told = {"see": asks.accepts, "find": asks.resolves, "do": asks.actions, "correct": asks.fields}
    parts = [f"{verb} {', '.join(what)}" for verb, what in told.items() if what]
    return f"asks to {'; to '.join(parts)}" if parts else ""


def _row(processor: Processor) -> list[str]:
    pending, asks = processor.pending_manifest_version, _asks(processor)
    waits = f" ({pending} waits for approval{': ' if asks else ''}{asks})" if pending else ""
    return [
        processor.id,
        processor.kind,
        "live" if processor.livemode else "test",
        str(word(processor.state)),
        _country(processor),
        f"{processor.manifest_version or '-'}{waits}",
        _key(processor),
        ", ".join(processor.actions) or "-",
        ", ".join(processor.accepts) or "-",
        ", ".join(processor.resolves) or "-",
        str(processor.open_tasks),
        when(processor.announced_at),
    ]


def _country(processor: Processor) -> str:
    """Return where its data is, and where it was until when: that is what an operator has to notice."""
    here = processor.country or "-"
    return f"{here} ({processor.moved_from} until {when(processor.moved_at)})" if processor.moved_at else here


def _key(processor: Processor) -> str:
    """Return the version of its secret that is in use, and one that its host has not announced yet."""
    newest, lowest = processor.secret_version, processor.min_secret_version
    usable = [one for one in processor.announced_versions if lowest <= one <= newest]
    used = str(max(usable, default="-"))
    return used if used == str(newest) else f"{used} ({newest} is not announced)"


def _folder(habeas: Habeas, folder: Path | None) -> Path:
    return folder or local_processors(habeas.url) or Path("processors")


def _place(folder: Path, processor_id: str) -> Path:
    """Return where the first key goes; none may be there, for the host would not know which of them counts."""
    home = _home(folder, processor_id)
    if present := sorted(home.glob("enrolment*.key")):
        msg = f"{present[0]} exists already: move it away to enrol {processor_id} anew"
        raise Mistake(msg)
    return home / "enrolment.key"


def _home(folder: Path, processor_id: str) -> Path:
    """Return a processor's folder, made at need: a secret that can't be kept must not be asked for."""
    if "/" in processor_id or processor_id in ("", ".", ".."):
        raise Mistake("a processor's id is made of small letters, digits and dashes, such as crm-eu")
    home = folder / processor_id
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make {home}: {error.strerror}"
        raise Mistake(msg) from None
    if not os.access(home, os.W_OK):
        msg = f"cannot write in {home}"
        raise Mistake(msg)
    return home


def _write_key(path: Path, enrolment: Enrolment) -> dict[str, Any]:
    """Write the key whole or not at all, for its owner only: the host watches the folder and may read at any time.

    Return what may be shown of it.
    """
    fields = enrolment.model_dump(include={"processor", "kind", "enrolment", "version", "secret"})
    partial = path.with_name(".enrolment.key.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(fields, file)
    partial.replace(path)
    return {**enrolment.model_dump(mode="json", exclude={"secret"}), "file": str(path)}
