"""Services and servers may be killed or wiped at any time: all completes, nothing happens or is told twice."""

from pathlib import Path

import pytest

from tests.journeys.kills import everything_completes_while
from tests.journeys.world import VENDORS, World, wait_for

HOW_MANY = 40
KILLS = 3


@pytest.mark.parametrize("part", ["orchestrator", "connectors", "notifier", "kafka", "postgres"])
@pytest.mark.timeout(900)
def test_everything_completes_and_nothing_happens_twice(calm: World, part: str, tmp_path: Path) -> None:
    everything_completes_while(calm, part, how_many=HOW_MANY, kills=KILLS, folder=tmp_path)


@pytest.mark.timeout(900)
def test_filing_goes_on_while_kafka_is_away(calm: World) -> None:
    if calm.stack.kafka is None:
        pytest.skip("stops Kafka, and this broker is not the test run's own")
    people = calm.people(20)
    calm.stack.kafka.stop()
    requests = [one for at in range(0, 20, 5) for one in calm.erase(people[at : at + 5])]
    assert calm.completed(requests) == 0
    calm.stack.kafka.start()
    calm.wait(requests)
    calm.erased_once(people)
    calm.told_once(people)


@pytest.mark.timeout(900)
def test_all_kafka_data_deleted_in_mid_run_is_made_good(calm: World) -> None:
    if calm.stack.kafka is None:
        pytest.skip("wipes Kafka, and this broker is not the test run's own")
    people = calm.people(HOW_MANY)
    for vendor in VENDORS:
        calm.knobs(vendor, latency=0.03)
    requests = calm.erase(people)
    wait_for(lambda: calm.completed(requests) >= HOW_MANY // 4, within=180)
    calm.stack.kafka.kill()
    calm.stack.kafka.wipe()
    calm.stack.kafka.start()
    calm.wait(requests, within=180)
    calm.erased_once(people)
    calm.told_once(people)
