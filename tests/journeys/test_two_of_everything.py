"""Every service twice at once: the same results as with one, and a clean hand-over when either goes."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from habeas.local.ports import PortLease
from habeas.local.service import Service
from tests.journeys.world import VENDORS, World, wait_for

NAMES = ("orchestrator", "connectors", "notifier")


@pytest.fixture
def twins(calm: World) -> Iterator[dict[str, Service]]:
    """A second instance of each service, beside the first."""
    with ExitStack() as stack:
        lease = PortLease()
        stack.callback(lease.release)
        second = {}
        for name in NAMES:
            first = calm.stack.services[name]
            port = lease.take()
            service = first.twin(port=port, log=calm.stack.home.log(f"{name}-2"), HABEAS_INSTANCE="1")
            service.start()
            stack.callback(service.stop)
            second[name] = service
        yield second


@pytest.mark.timeout(180)
def test_nothing_happens_twice(calm: World, twins: dict[str, Service]) -> None:
    people = calm.people(30)
    requests = calm.erase(people)
    calm.wait(requests)
    calm.erased_once(people)
    calm.told_once(people)


@pytest.mark.timeout(180)
def test_either_may_be_killed(calm: World, twins: dict[str, Service]) -> None:
    people = calm.people(30)
    for vendor in VENDORS:
        calm.knobs(vendor, latency=0.03)
    requests = calm.erase(people)
    wait_for(lambda: calm.completed(requests) >= 3, within=60)
    for name in ("orchestrator", "connectors"):
        twins[name].kill()
    calm.wait(requests)
    calm.erased_once(people)
    calm.told_once(people)
