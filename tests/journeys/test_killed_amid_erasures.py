"""Any part may be killed at any time: every request completes, no effect happens twice, nobody is told twice."""

import threading
from collections.abc import Callable

import pytest

from tests.journeys.world import World, wait_for

HOW_MANY = 40
KILLS = 3


def killer(world: World, part: str) -> Callable[[], None]:
    """Return what kills and restarts one part."""
    if part in ("postgres", "kafka"):
        server = getattr(world.stack, part)
        if server is None:
            pytest.skip(f"kills {part}, and this server is not the test run's own")

        def server_dies() -> None:
            server.kill()
            server.start()

        return server_dies
    service = world.stack.services[part]

    def service_dies() -> None:
        service.kill()
        service.start()

    return service_dies


@pytest.mark.parametrize("part", ["orchestrator", "connectors", "kafka", "postgres"])
@pytest.mark.timeout(180)
def test_everything_completes_and_nothing_happens_twice(calm: World, part: str) -> None:
    people = calm.people(HOW_MANY)
    for vendor in ("hubspot", "s3"):
        calm.knobs(vendor, latency=0.03)
    die = killer(calm, part)
    requests = calm.erase(people)
    for kill in range(KILLS):
        done = HOW_MANY * kill // (KILLS + 1)
        wait_for(lambda done=done: calm.completed(requests) >= done, within=60)  # type: ignore[misc]
        die()
    calm.wait(requests)
    calm.erased_once(people)
    calm.told_once(people)


@pytest.mark.timeout(180)
def test_a_killed_notifier_tells_nobody_twice_and_says_what_it_does_not_know(calm: World) -> None:
    people = calm.people(HOW_MANY)
    calm.knobs("smtp", latency=0.05)
    requests = calm.erase(people)
    die = killer(calm, "notifier")
    for kill in range(KILLS):
        wait_for(lambda kill=kill: sum(map(len, calm.mails(people).values())) >= 10 * kill, within=60)  # type: ignore[misc]
        die()
    calm.wait(requests)
    calm.erased_once(people)
    wait_for(lambda: all(_told_or_unknown(calm, one) for one in requests), within=60)
    for subjects in calm.mails(people).values():
        assert len(subjects) == len(set(subjects))


def _told_or_unknown(world: World, request: str) -> bool:
    """Whether the timeline gives both notices an end: sent, or honestly unknown."""
    ends = {"notice.sent", "notice.unknown"}
    told = [(one.type, one.detail["kind"]) for one in world.habeas.requests.timeline(request) if one.type in ends]
    return {kind for _, kind in told} == {"acknowledgement", "completion"}


@pytest.mark.timeout(180)
def test_filing_goes_on_while_kafka_is_away(calm: World) -> None:
    if calm.stack.kafka is None:
        pytest.skip("stops Kafka, and this broker is not the test run's own")
    people = calm.people(20)
    calm.stack.kafka.stop()
    requests = [one for at in range(0, 20, 5) for one in calm.erase(people[at : at + 5])]
    assert calm.completed(requests) == 0
    timer = threading.Timer(0, calm.stack.kafka.start)
    timer.start()
    timer.join()
    calm.wait(requests)
    calm.erased_once(people)
    calm.told_once(people)


@pytest.mark.timeout(240)
def test_all_kafka_data_deleted_in_mid_run_is_made_good(calm: World) -> None:
    if calm.stack.kafka is None:
        pytest.skip("wipes Kafka, and this broker is not the test run's own")
    people = calm.people(HOW_MANY)
    for vendor in ("hubspot", "s3"):
        calm.knobs(vendor, latency=0.03)
    requests = calm.erase(people)
    wait_for(lambda: calm.completed(requests) >= HOW_MANY // 4, within=60)
    calm.stack.kafka.kill()
    calm.stack.kafka.wipe()
    calm.stack.kafka.start()
    calm.wait(requests, within=120)
    calm.erased_once(people)
    calm.told_once(people)
