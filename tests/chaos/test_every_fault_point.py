"""A service is killed, or stopped for long, at each named point: everything completes, nothing happens twice."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from habeas.client import Habeas, Retries, Unreachable
from habeas.local.ports import PortLease
from habeas.local.service import Service
from services.chassis.faultpoints import FAULT_POINTS
from tests.journeys.world import Person, World, wait_for, wish, world

HOW_MANY = 6
STOPPED_FOR = 25.0  # seconds: longer than a session, any lease, and what a transaction may wait for its client

OWNERS: dict[str, tuple[str, ...]] = {
    "filing": ("orchestrator",),
    "planner": ("orchestrator",),
    "dispatcher": ("orchestrator",),
    "consumer": ("orchestrator", "connectors", "notifier"),
    "relay": ("orchestrator", "connectors", "notifier"),
    "worker": ("connectors",),
    "notifier": ("notifier",),
    "exports": ("connectors",),
}
AMID_EXPORTS = [point for point in FAULT_POINTS if point.startswith("exports.")]
CELLS = [
    (point, owner) for point in FAULT_POINTS if point not in AMID_EXPORTS for owner in OWNERS[point.partition(".")[0]]
]
STOPS = [
    ("planner.before_commit", "orchestrator"),
    ("consumer.polled", "orchestrator"),
    ("relay.claimed", "orchestrator"),
    ("consumer.before_commit", "connectors"),
    ("relay.sent", "connectors"),
    ("worker.before_effect", "connectors"),
    ("worker.effect_done", "connectors"),
    ("notifier.claimed", "notifier"),
    ("notifier.handing_over", "notifier"),
    ("notifier.accepted", "notifier"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("stack")) as one:
        yield one


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("point", "owner"), CELLS)
def test_killed_at(whole: World, point: str, owner: str) -> None:
    people = whole.people(HOW_MANY)
    service = whole.stack.services[owner]
    service.stop()
    # One batch is one filing; everywhere else the second time finds the service in the middle of its work.
    time = 1 if point.startswith("filing.") else 2
    service.launch({"HABEAS_FAULTPOINT": f"{point}:kill:{time}"})
    if owner == "orchestrator":
        wait_for(lambda: service.is_ready() or service.pid is None, within=180)
    _file(whole, people, point)
    wait_for(lambda: service.pid is None, within=180)  # it fired
    service.start()
    whole.wait(_file(whole, people, point))
    whole.erased_once(people)
    # A notifier dies with several mails in hand: of those nobody can know, and none is sent again.
    whole.told_once(people, surely=owner != "notifier")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("point", AMID_EXPORTS)
def test_killed_amid_exports(whole: World, point: str) -> None:
    people = whole.people(HOW_MANY)
    states = whole.states(people)
    (owner,) = OWNERS["exports"]
    service = whole.stack.services[owner]
    service.stop()
    service.launch({"HABEAS_FAULTPOINT": f"{point}:kill:2"})
    requests = whole.file([wish("access", one) for one in people])
    wait_for(lambda: service.pid is None, within=180)  # it fired
    service.start()
    done = whole.wait(requests)
    exported = [{line.disposition for line in one.outcome.lines} if one.outcome else set() for one in done]
    assert all("exported" in dispositions for dispositions in exported)
    assert whole.states(people) == states
    wait_for(lambda: _one_object_each(whole), within=180)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("point", "owner"), STOPS)
def test_stopped_at(whole: World, point: str, owner: str) -> None:
    """It wakes when another instance has long gone on with its work, and does not know."""
    people = whole.people(HOW_MANY)
    service = whole.stack.services[owner]
    service.stop()
    service.launch({"HABEAS_FAULTPOINT": f"{point}:stop:2"})
    wait_for(lambda: service.is_ready() or _is_stopped(service), within=180)
    with _asking(whole, Habeas(whole.stack.url, key=whole.stack.key, timeout=10, retries=Retries(attempts=1))):
        _file(whole, people, point)
    wait_for(lambda: _is_stopped(service), within=180)  # it fired
    until = time.monotonic() + STOPPED_FOR
    with _taken_over(whole, service):
        whole.wait(_file(whole, people, point))
        wait_for(lambda: time.monotonic() > until, within=STOPPED_FOR)
        assert _is_stopped(service)
        os.kill(_pid(service), signal.SIGCONT)
        wait_for(service.is_ready, within=180)
        others = whole.people(HOW_MANY)
        whole.wait(whole.erase(others))
    whole.erased_once([*people, *others])
    # Who takes over from a notifier cannot know of the mails that it had in hand, and sends none of them again.
    whole.told_once([*people, *others], surely=owner != "notifier")


@contextmanager
def _taken_over(whole: World, service: Service) -> Iterator[None]:
    """Run another instance beside one that does not answer, and ask that where it is the API's."""
    with ExitStack() as stack:
        lease = PortLease()
        stack.callback(lease.release)
        log = whole.stack.home.log(f"{service.name}-2")
        twin = service.twin(port=lease.take(), log=log, HABEAS_INSTANCE="1")
        twin.start()
        stack.callback(twin.stop)
        if service.name == "orchestrator":
            stack.enter_context(_asking(whole, Habeas(twin.url, key=whole.stack.key)))
        yield


@contextmanager
def _asking(whole: World, client: Habeas) -> Iterator[None]:
    """Let `client` ask what the world asks of the API."""
    usual, whole.habeas = whole.habeas, client
    with client:
        yield
    whole.habeas = usual


def _is_stopped(service: Service) -> bool:
    return bool(psutil.Process(_pid(service)).status() == psutil.STATUS_STOPPED)


def _pid(service: Service) -> int:
    assert service.pid is not None
    return service.pid


def _one_object_each(whole: World) -> bool:
    """Whether no attempt but the one that counts left anything in the store."""
    files = [one for one in whole.stack.home.exports.rglob("*") if one.is_file()]
    return bool(files) and len({one.parent for one in files}) == len(files)


def _file(world: World, people: list[Person], point: str) -> list[str]:
    """File, or ask again what was filed: the key is the same, so whoever got no answer files nothing twice."""
    try:
        return world.erase(people, key=f"{point} {people[0].customer_id}".replace(" ", "/"))
    except Unreachable:
        return []
