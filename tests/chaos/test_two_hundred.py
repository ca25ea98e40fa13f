"""The kill journeys at length: each part is killed again and again amid 200 requests."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.kills import everything_completes_while
from tests.journeys.world import World, wait_for, world

HOW_MANY = 200
KILLS = 8
AWAY = 30.0  # seconds


@pytest.fixture
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for each test: people of the one before would make every walk through an account longer."""
    with world(tmp_path_factory.mktemp("stack")) as one:
        yield one


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", ["orchestrator", "connectors", "kafka", "postgres", "notifier"])
def test_everything_completes_and_nothing_happens_twice(whole: World, part: str, tmp_path: Path) -> None:
    everything_completes_while(whole, part, how_many=HOW_MANY, kills=KILLS, folder=tmp_path)


@pytest.mark.timeout(1200)
def test_filing_goes_on_for_the_half_minute_that_kafka_is_away(whole: World) -> None:
    if whole.stack.kafka is None:
        pytest.skip("stops Kafka, and this broker is not the test run's own")
    people = whole.people(40)
    requests: list[str] = []
    back = time.monotonic() + AWAY
    whole.stack.kafka.stop()
    for place, person in enumerate(people):
        requests += whole.erase([person])
        wait_for(lambda place=place: time.monotonic() > back - AWAY * (1 - place / len(people)), within=AWAY)  # type: ignore[misc]
    whole.stack.kafka.start()
    whole.wait(requests, within=180)
    whole.erased_once(people)
    whole.told_once(people)
