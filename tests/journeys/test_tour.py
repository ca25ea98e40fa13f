"""The tour of the README, as it is written there: each line is typed, and does what the tour says."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from habeas.cli.sandbox import PEOPLE, SEED, VENDORS, Sandbox
from tests.journeys.given_servers import room
from tests.journeys.shell import Shell
from tests.journeys.world import wait_for

ROOT = Path(__file__).parents[2]
SHOW = "habeas requests show req_..."


def tour() -> list[str]:
    """Return the commands of the README's tour, without its remarks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Take the tour\n.*?```\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [line.split("  #")[0].strip() for line in block[1].splitlines() if line.strip()]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in a new folder, in which nothing runs any more in the end."""
    with room() as own:
        one = Shell(tmp_path, **own)
        yield one
        one.type("habeas down")


@contextmanager
def served_anew(shell: Shell, processor: str) -> Iterator[None]:
    """Change what a processor is told within; return once its host has looked, as who types and reads on does."""
    log = shell.folder / ".habeas" / "logs" / "connectors.log"

    def times() -> int:
        return sum('"processor.served"' in one and f'"{processor}"' in one for one in log.read_text().splitlines())

    before = times()
    yield
    wait_for(lambda: times() > before, within=30)


def erasures(shown: str) -> dict[str, list[str]]:
    """Return the fields of each processor's erasure in what `show` printed."""
    rows = [line.split() for line in shown.splitlines()]
    return {row[1]: row for row in rows if row[2:3] == ["erase"]}


def follow(shell: Shell, lines: list[str]) -> dict[str, list[str]]:
    """Type the tour's lines; return what each printed, every time."""
    printed: dict[str, list[str]] = {}
    for line in lines:
        if "list --attention" in line:
            wait_for(lambda: "credentials rejected" in shell.type("habeas requests list --attention"), within=60)
            wait_for(lambda: sum("settled" in row for row in erasures(shell.type(SHOW)).values()) == 3, within=60)
        if line.startswith("echo wrong"):
            with served_anew(shell, "ai"):
                shell.type(line)
        else:
            printed.setdefault(line, []).append(shell.type(line))
    return printed


def remains(shell: Shell) -> dict[str, int]:
    """Return what each vendor still holds of the person whom the tour was about."""
    with Sandbox(json.loads(shell.type("habeas status --json"))["sandbox"]) as sandbox:
        (person,) = (one for one in sandbox.populate_once(PEOPLE, seed=SEED) if one.email == shell.person)
        found = sandbox.remains(person)
        return {vendor: found[vendor] for vendor in VENDORS}


@pytest.mark.timeout(240)
def test_the_tour_leads_where_it_says(shell: Shell) -> None:
    first, *lines, last = tour()
    assert (first, last) == ("habeas up", "habeas down")
    said = shell.type(first)
    shell.person = _address_in(said)
    (curl,) = (line for line in said.splitlines() if line.startswith("curl"))
    assert json.loads(shell.type(curl))["state"] == "received"
    shell.type("habeas requests watch req_...")  # what the printed line filed

    printed = follow(shell, lines)
    rows = erasures(printed[SHOW][0])
    assert rows.keys() == {"ai", "billing", "crm-eu", "files"}
    assert rows.pop("ai")[-2:] == ["credentials", "rejected"]
    assert all("settled" in row and row[-1] == "-" for row in rows.values()), rows
    seen, ended = printed["habeas requests watch req_..."]
    assert "outcome  fulfilled\n" in seen
    assert "outcome  fulfilled with retention\n" in ended
    assert re.search(r"^charges +retained +[1-9]\d* .* tax_law +20\d\d-01-01 ", ended, re.MULTILINE)
    assert [path.suffix for path in shell.folder.iterdir() if path.is_file()] == [".zip"]
    assert remains(shell) == dict.fromkeys(VENDORS, 0)

    shell.type(last)
    assert shell.left_running() == []


def _address_in(said: str) -> str:
    found = re.search(r"One of them is (\S+):", said)
    assert found is not None, said
    return found[1]
