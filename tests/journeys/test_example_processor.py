"""The tutorial of the example processor, as it is written: typed line by line, it leads to a served processor."""

import os
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from habeas.local.unprivileged import programs
from habeas.sdk import Manifest
from services.connectors.host.particulars import particular
from tests.infrastructure import Databases
from tests.journeys.shell import Shell
from tests.journeys.world import World, wait_for, world

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "example_processor"
# Done by the fixtures, or by the suite, of which those tests are a part.
ELSEWHERE = ("habeas up", "habeas down", "export SHOP_URL=", "python -m pytest")
SETTINGS = "[manifest]\n"  # begins what stands in an enrolment's settings.toml, and not in the package


def blocks(language: str) -> list[str]:
    """Return the code blocks of the tutorial in one language; commands have none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", (HERE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return [block for said, block in found if said == language]


def commands() -> list[str]:
    """Return the tutorial's commands, without its remarks."""
    _tree, *typed = blocks("")
    lines = [line.split("    #")[0].strip() for block in typed for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(ELSEWHERE)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tests of the checkout, and room for a stack and for an installed package."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "tests").symlink_to(ROOT / "tests")
    (folder / "site").mkdir()
    return folder


@pytest.fixture(scope="module")
def whole(checkout: Path) -> Iterator[World]:
    """A stack whose services find what is installed in the folder `site`, and nothing of it in this environment."""
    with world(checkout / ".habeas", PYTHONPATH=f"{ROOT}{os.pathsep}{checkout / 'site'}") as one:
        yield one


@pytest.fixture
def shell(calm: World, checkout: Path) -> Iterator[Shell]:
    databases = Databases(calm.stack.postgres_url)
    shop = databases.create()
    paths = (Path(sys.executable).parent, programs().folder / "bin", os.environ["PATH"])
    yield Shell(
        checkout,
        HABEAS_URL=calm.stack.url,
        HABEAS_API_KEY=calm.stack.key,
        SHOP_URL=shop,
        PATH=os.pathsep.join(map(str, paths)),
        # Into the folder alone, from what is here: nothing is asked of the network, nothing stays.
        PIP_TARGET=str(checkout / "site"),
        PIP_NO_INDEX="1",
        PIP_NO_DEPS="1",
        PIP_NO_BUILD_ISOLATION="0",  # pip reads it the other way round
    )
    databases.drop(shop)


@pytest.mark.timeout(900)
def test_the_tutorial_leads_to_a_served_processor(calm: World, shell: Shell, checkout: Path) -> None:
    printed: list[tuple[str, str]] = []
    for line in commands():
        if line == "habeas processors list":
            wait_for(lambda: "customer_id" in row_of_shop(shell.type("habeas processors list")), within=180)
        printed.append((line, shell.type(line)))

    watched = [said for line, said in printed if line == "habeas requests watch req_..."]
    assert len(watched) == 3
    assert all("shop" in said for said in watched)
    outcomes = {request.right: request.outcome for request in calm.habeas.requests.list() if request.outcome}
    # The stack's file storage knows people by a customer id alone, which nobody has of this one: it was not searched.
    expected = {"access": "partly_fulfilled", "rectification": "fulfilled", "erasure": "partly_fulfilled"}
    assert {right: one.headline for right, one in outcomes.items()} == expected
    not_asked = {
        right for right, one in outcomes.items() for line in one.lines if line.reason == "no_accepted_identity"
    }
    assert not_asked == {"access", "erasure"}
    assert not any(line.disposition in ("failed", "refused") for one in outcomes.values() for line in one.lines)

    (package,) = checkout.glob("*.zip")
    with zipfile.ZipFile(package) as copy:
        texts = b"".join(copy.read(name) for name in copy.namelist() if "/shop/" in f"/{name}")
    assert b"A red bicycle" in texts
    assert b"When does the bell come?" in texts

    phone, count = [said for line, said in printed if line.startswith("psql") and "SELECT" in line]
    assert "+15550000043" in phone
    assert re.search(r"^\s+0$", count, re.MULTILINE)


def row_of_shop(listed: str) -> str:
    return next((line for line in listed.splitlines() if line.startswith("shop")), "")


@pytest.mark.parametrize("language", ["toml", "python"])
def test_the_tutorials_code_is_the_codes_own(language: str) -> None:
    files = [path.read_text() for path in HERE.rglob({"toml": "*.toml", "python": "*.py"}[language])]
    shown = [block for block in blocks(language) if not block.startswith(SETTINGS)]
    assert shown
    assert [block for block in shown if not any(block in text for text in files)] == []


def test_what_the_tutorial_puts_into_an_enrolments_settings_is_taken() -> None:
    (settings,) = (tomllib.loads(block) for block in blocks("toml") if block.startswith(SETTINGS))
    kind = Manifest.load(HERE / "shop_habeas" / "manifest.toml")
    assert particular(kind, settings).model_dump() == kind.model_dump() | settings["manifest"]
