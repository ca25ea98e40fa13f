"""`habeas demo`, from zero: it tells its story, the vendors' own books bear it out, and nothing is left of it."""

import json
from pathlib import Path

import pytest

from tests.journeys.given_servers import room
from tests.journeys.shell import Shell


@pytest.mark.timeout(240)
def test_the_demo_is_borne_out_by_the_vendors_books_and_leaves_nothing(tmp_path: Path) -> None:
    with room() as own:
        shell = Shell(tmp_path, **own)
        verdict = json.loads(shell.type("habeas demo --json"))
    assert [one["what"] for one in verdict["checks"] if not one["passed"]] == []
    assert verdict["passed"]
    told = " ".join(one["what"] for one in verdict["checks"])
    for what in ("the package is whole", "the new one is there now", "which tax law keeps", "each exactly once"):
        assert what in told
    assert shell.left_running() == []
    assert list(tmp_path.iterdir()) == []
