"""The tour of the README, as it is written there: each line is typed, and does what the tour says."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.world import World, wait_for, world

ROOT = Path(__file__).parents[2]
SHOW = "habeas requests show req_..."


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack in the folder that the tour speaks of."""
    with world(tmp_path_factory.mktemp("tour") / ".habeas") as one:
        yield one


def tour() -> list[str]:
    """Return the commands of the README's tour, without its remarks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Take the tour\n.*?```\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [line.split("  #")[0].strip() for line in block[1].splitlines() if line.strip()]


class Shell:
    """Types commands as somebody does who read the tour."""

    def __init__(self, whole: World, email: str) -> None:
        self._folder = whole.stack.home.path.parent
        self._email = email
        self._request = ""
        self._environment = os.environ | {
            "HABEAS_URL": whole.stack.url,
            "HABEAS_API_KEY": whole.stack.key,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def type(self, line: str) -> str:
        """Run a line and return what it printed."""
        said = line.replace("jane@example.com", self._email).replace("req_...", self._request)
        done = subprocess.run(
            ["/bin/bash", "-c", said],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
        if " file " in said:
            (self._request,) = set(re.findall(r"req_[0-9A-Z]{26}", done.stdout))
        return done.stdout


def erasures(shown: str) -> dict[str, list[str]]:
    """Return the fields of each processor's erasure in what `show` printed."""
    rows = [line.split() for line in shown.splitlines()]
    return {row[1]: row for row in rows if row[2:3] == ["erase"]}


@pytest.mark.timeout(900)
def test_the_tour_leads_where_it_says(calm: World) -> None:
    (person,) = calm.people(1)
    shell = Shell(calm, person.email)
    first, *lines, last = tour()
    assert (first, last) == ("habeas up", "habeas down")
    printed: dict[str, list[str]] = {}
    for line in lines:
        if "list --attention" in line:
            wait_for(lambda: "credentials rejected" in shell.type("habeas requests list --attention"), within=180)
            wait_for(lambda: sum("settled" in row for row in erasures(shell.type(SHOW)).values()) == 3, within=180)
        if line.startswith("echo wrong"):
            with calm.served_anew("ai"):  # who types takes the second that the tour speaks of
                shell.type(line)
        else:
            printed.setdefault(line, []).append(shell.type(line))
    rows = erasures(printed[SHOW][0])
    assert rows.keys() == {"ai", "billing", "crm-eu", "files"}
    assert rows.pop("ai")[-2:] == ["credentials", "rejected"]
    assert all("settled" in row and row[-1] == "-" for row in rows.values()), rows
    seen, ended = printed["habeas requests watch req_..."]
    assert "outcome  fulfilled\n" in seen
    assert "outcome  fulfilled with retention\n" in ended
    assert re.search(r"^charges +retained +[1-9]\d* .* tax_law +20\d\d-01-01 ", ended, re.MULTILINE)
    assert [path.suffix for path in calm.stack.home.path.parent.iterdir() if path.is_file()] == [".zip"]
    assert calm.remains(person) == 0
