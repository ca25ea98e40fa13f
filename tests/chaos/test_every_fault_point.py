"""A service is killed at each named point: it restarts, everything completes, nothing happens twice."""

from collections.abc import Iterator

import pytest

from habeas.client import Unreachable
from services.chassis.faultpoints import FAULT_POINTS
from tests.journeys.world import Person, World, wait_for, wish, world

HOW_MANY = 6

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
