"""`habeas requests package`: the copy of a subject's data, fetched into a file and checked."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from habeas.cli.mistakes import Mistake
from habeas.cli.output import Output, console
from habeas.cli.server import talks
from habeas.client import Habeas, SavedPackage

EPILOG = (
    "Examples:\n\n"
    "habeas requests package req_01J...\n\n"
    "habeas requests package req_01J... --output jane.zip --force\n\n"
    "The file is there once it is whole and every part of it fits its manifest; nobody but you may read it."
)


@talks
def package(
    habeas: Habeas,
    out: Output,
    *,
    request_id: Annotated[str, typer.Argument(help="Id of the request, such as req_01J...", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; if not said, ID.zip in this folder."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Fetch the package of an answered access request: a ZIP with all that was found; each fetch is recorded."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", request_id):
        raise Mistake("that is no id of a request: it looks like req_01J...")
    path = output or Path(f"{request_id}.zip")
    try:
        saved = _fetch(habeas, request_id, path, force=force, shown=not out.as_json)
    except FileExistsError:
        raise Mistake(f"{path} is there already: name another file with --output, or say --force") from None
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror or type(error).__name__}") from None
    told = {"request": request_id, "file": str(saved.path), "bytes": saved.bytes, "members": saved.members}
    out.one(told, f"{saved.path}: {saved.bytes:,} bytes, {saved.members} files. Unpack it and open report.html.")


def _fetch(habeas: Habeas, request_id: str, path: Path, *, force: bool, shown: bool) -> SavedPackage:
    screen = console(stderr=True)
    columns = (TextColumn("Fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not (shown and screen.is_terminal)) as progress:
        task = progress.add_task("", total=None)
        return habeas.requests.package(request_id).save(
            path, overwrite=force, progress=lambda size: progress.update(task, completed=size)
        )
