"""`habeas up`, `down`, `status` and `logs`: the local stack, left running between commands."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habeas.cli import fixed_ports
from habeas.cli.fixed_ports import ApiPort, KafkaPort, PostgresPort, SandboxPort
from habeas.cli.mistakes import Mistake
from habeas.cli.output import Output, Row, console, facts, grid, word
from habeas.cli.sandbox import PEOPLE, SEED, Person, Sandbox, plain
from habeas.cli.server import AsJson

if TYPE_CHECKING:  # these need habeas[local], which a command line that only talks HTTP does without
    from habeas.local.state import Process, StackState

Home = Annotated[
    Path,
    typer.Option("--home", envvar="HABEAS_HOME", help="Folder in which the stack keeps everything.", show_default=True),
]
DEFAULT_HOME = Path(".habeas")
NONE_RUNS = "no stack runs here; start one with `habeas up`"
FOLLOW_EVERY = 0.2  # seconds


def up(
    *,
    home: Home = DEFAULT_HOME,
    port: ApiPort = None,
    kafka_port: KafkaPort = None,
    postgres_port: PostgresPort = None,
    sandbox_port: SandboxPort = None,
    as_json: AsJson = False,
) -> None:
    """Start everything on this machine and leave it running: servers, services, and vendors to play with."""
    from habeas.local import detached

    out = Output(as_json=as_json)
    progress = console(stderr=as_json)
    wanted = fixed_ports.asked(port, kafka_port, postgres_port, sandbox_port)
    if detached.status(home) is None:
        fixed_ports.fix(home, wanted)
    found = detached.up(home, say=lambda line: progress.print(line, style="dim", markup=False))
    if elsewhere := fixed_ports.others(found, wanted):
        msg = f"it runs already, {', '.join(elsewhere)}; `habeas down` first to change that"
        raise Mistake(msg)
    person = _somebody(found)
    told = {
        "url": found.url,
        "key": found.key,
        "reference": f"{found.url}/reference",
        "sandbox": found.sandbox_url,
        "person": person.email,
    }
    shown = facts([("API", told["url"]), ("key", told["key"]), ("reference", told["reference"])])
    out.one(told, "", shown, "", f"{PEOPLE} invented people live at its vendors. One of them is {person.email}:", "")
    if not as_json:
        print(_curl(found, person), end="\n\n")  # as it is, however long: it is there to be copied
        print("`habeas requests list` and all other commands find this stack by themselves; `habeas down` stops it.")


def down(*, home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Stop the stack that `habeas up` started; its data stay."""
    from habeas.local import detached

    stopped = detached.down(home)
    Output(as_json=as_json).one({"stopped": stopped}, "Stopped." if stopped else "No stack runs here.")


def status(*, home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Show what runs of the stack; ends with 1 when nothing does, or something ended by itself."""
    from habeas.local import detached

    found = detached.status(home)
    if found is None:
        raise Mistake(NONE_RUNS)
    processes = [{**each.model_dump(mode="json"), "running": each.running} for each in found.processes]
    known = {"phase": found.phase, "url": found.url, "sandbox": found.sandbox_url, "processes": processes}
    Output(as_json=as_json).one(
        known, grid("PROCESS", "PID", "STATE", "ADDRESS", "LOG", rows=map(_row, found.processes))
    )
    if not all(each.running for each in found.processes):
        raise typer.Exit(1)


def logs(
    *,
    name: Annotated[
        str | None, typer.Argument(help="Of which process; of all, if not said.", show_default=False)
    ] = None,
    home: Home = DEFAULT_HOME,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many of the last lines.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the processes of the stack logged."""
    files = _log_files(home, name)
    places = {path: _last(path, lines) for path in files}
    while True:
        for path, place in places.items():
            for text, place_after in _lines_from(path, place):
                places[path] = place_after
                _print_line(path.stem, text, alone=len(files) == 1, as_json=as_json)
        if not follow:
            return
        time.sleep(FOLLOW_EVERY)


def _row(process: "Process") -> Row:
    state = word("running" if process.running else "failed")
    return [process.name, str(process.pid), state, process.address or "-", str(process.log or "-")]


def _somebody(found: "StackState") -> Person:
    with Sandbox(found.sandbox_url) as sandbox:
        return plain(sandbox.populate_once(PEOPLE, seed=SEED))[0]


def _curl(found: "StackState", person: Person) -> str:
    wish = {
        "right": "access",
        "subject": {"identities": [{"type": "email", "value": person.email}], "contact": {"email": person.email}},
        "identity_check": {"method": "client_asserted"},
    }
    return (
        f"curl -s -X POST {found.url}/v1/requests -H 'Authorization: Bearer {found.key}' "
        f"-H 'Content-Type: application/json' -H 'Idempotency-Key: \"first-try\"' -d '{json.dumps(wish)}'"
    )


def _log_files(home: Path, name: str | None) -> list[Path]:
    found = {path.stem: path for path in sorted((home / "logs").glob("*.log"))}
    if not found:
        raise Mistake(NONE_RUNS)
    if name is None:
        return list(found.values())
    if name not in found:
        msg = f"there is no such log; there are {', '.join(found)}"
        raise Mistake(msg)
    return [found[name]]


def _last(path: Path, lines: int) -> int:
    """Return where the last `lines` lines of a file begin."""
    content = path.read_bytes()
    kept = b"".join(content.splitlines(keepends=True)[-lines:]) if lines else b""
    return len(content) - len(kept)


def _lines_from(path: Path, place: int) -> Iterator[tuple[str, int]]:
    """Give each whole line from `place` on, and where the next one begins; all lines of a file that was begun anew."""
    with path.open("rb") as file:
        file.seek(place if place <= path.stat().st_size else 0)
        while (line := file.readline()).endswith(b"\n"):
            yield line.decode(errors="replace").rstrip(), file.tell()


def _print_line(name: str, text: str, *, alone: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"process": name, "line": text}), flush=True)
    else:
        print(text if alone else f"{name:>12}  {text}", flush=True)
