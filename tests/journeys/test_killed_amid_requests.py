"""Any service may be killed at any time: every request completes, no effect happens twice, nobody is told twice."""

from pathlib import Path

import pytest

from tests.journeys.kills import everything_completes_while
from tests.journeys.world import World

HOW_MANY = 40
KILLS = 3


@pytest.mark.parametrize("part", ["orchestrator", "connectors", "notifier"])
@pytest.mark.timeout(900)
def test_everything_completes_and_nothing_happens_twice(calm: World, part: str, tmp_path: Path) -> None:
    everything_completes_while(calm, part, how_many=HOW_MANY, kills=KILLS, folder=tmp_path)
