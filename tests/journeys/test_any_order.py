"""Services start in any order and wait for each other, for Kafka and for PostgreSQL."""

import pytest

from tests.journeys.world import World, wait_for


@pytest.mark.timeout(900)
def test_services_that_started_before_their_servers_do_their_job_once_these_are_up(calm: World) -> None:
    stack = calm.stack
    if stack.postgres is None or stack.kafka is None:
        pytest.skip("stops both servers, and these are not the test run's own")
    names = ("connectors", "notifier", "orchestrator")
    for name in names:
        stack.services[name].stop()
    stack.kafka.stop()
    stack.postgres.stop()
    for name in names:
        stack.services[name].launch()
    wait_for(lambda: all(stack.services[name].pid for name in names), within=180)
    stack.kafka.start()
    assert not any(stack.services[name].is_ready() for name in names)
    stack.postgres.start()
    for name in names:
        stack.services[name].wait_until_ready()
    people = calm.people(3)
    calm.wait(calm.erase(people))
    calm.erased_once(people)


def test_a_service_tells_the_truth_about_its_parts(calm: World) -> None:
    if calm.stack.postgres is None:
        pytest.skip("stops PostgreSQL, and this server is not the test run's own")
    orchestrator = calm.stack.services["orchestrator"]
    wait_for(orchestrator.is_ready, within=180)
    calm.stack.postgres.stop()
    wait_for(lambda: not orchestrator.is_ready(), within=180)
    calm.stack.postgres.start()
    wait_for(orchestrator.is_ready, within=180)
