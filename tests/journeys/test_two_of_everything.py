"""Every service twice at once: the same results as with one, and a clean hand-over when either goes."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from habeas.local.ports import PortLease
from habeas.local.service import Service
from tests.journeys.errands import Errands
from tests.journeys.kills import trouble
from tests.journeys.world import World, wait_for
from tests.plain import HTTP

NAMES = ("orchestrator", "connectors", "notifier")


@pytest.fixture(scope="module")
def second(whole: World) -> Iterator[dict[str, Service]]:
    """A second instance of each service, beside the first."""
    with ExitStack() as stack:
        lease = PortLease()
        stack.callback(lease.release)
        services = {}
        for name in NAMES:
            log = whole.stack.home.log(f"{name}-2")
            services[name] = whole.stack.services[name].twin(port=lease.take(), log=log, HABEAS_INSTANCE="1")
            stack.callback(services[name].stop)
        yield services


@pytest.fixture
def twins(calm: World, second: dict[str, Service]) -> dict[str, Service]:
    """The second instances, all of them up."""
    for service in second.values():
        service.start()
    return second


def taken(service: Service) -> float:
    """Return how many records an instance has taken from Kafka since it was started, by its own count."""
    page = HTTP.get(f"{service.url}/metrics").raise_for_status().text
    return sum(map(float, re.findall(r"^habeas_consumed_records_total\{.*\} (\S+)$", page, re.MULTILINE)))


@pytest.mark.timeout(900)
def test_nothing_happens_twice(calm: World, twins: dict[str, Service], tmp_path: Path) -> None:
    instances = {f"{name} {place}": one for name in NAMES for place, one in _both(calm, twins, name)}
    before = {name: taken(one) for name, one in instances.items()}
    errands = Errands.of(calm, 32)
    requests = errands.file(calm)
    calm.wait(requests)
    errands.done_once(calm, requests, tmp_path)
    calm.told_once(errands.people)
    assert [name for name, one in instances.items() if taken(one) == before[name]] == [], "had no part in it"


@pytest.mark.timeout(900)
def test_either_may_be_killed(calm: World, twins: dict[str, Service], tmp_path: Path) -> None:
    """The second of one service and the first of the others, while all have work in hand and vendors make trouble."""
    services = calm.stack.services
    victims = (twins["orchestrator"], services["connectors"], services["notifier"])
    before = [taken(one) for one in victims]
    errands = Errands.of(calm, 32)
    trouble(calm)
    requests = errands.file(calm)
    wait_for(lambda: calm.completed(requests) >= 3, within=180)
    assert all(taken(one) > some for one, some in zip(victims, before, strict=True)), "had no part in it"
    assert calm.completed(requests) < len(requests), "there was nothing left to disturb"
    for one in victims:
        one.kill()
    calm.wait(requests)
    calm.calm()
    errands.done_once(calm, requests, tmp_path)
    calm.told_once(errands.people, surely=False)  # a notifier that dies may not know of a mail in its hands


def _both(world: World, twins: dict[str, Service], name: str) -> list[tuple[str, Service]]:
    return [("first", world.stack.services[name]), ("second", twins[name])]
