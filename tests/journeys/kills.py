"""Kills parts of a running world while requests are under way, and judges by the vendors' books."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.errands import Errands
from tests.journeys.world import VENDORS, World, wait_for

FAULTS = ["drop_reply", "rate_limit"]


def killer(world: World, part: str) -> Callable[[], None]:
    """Return what kills one part and starts it again."""
    target = getattr(world.stack, part) if part in ("postgres", "kafka") else world.stack.services[part]
    if target is None:
        pytest.skip(f"kills {part}, and this server is not the test run's own")

    def die() -> None:
        target.kill()
        target.start()

    return die


def everything_completes_while(world: World, part: str, *, how_many: int, kills: int, folder: Path) -> None:
    """Kill `part` several times amid `how_many` requests: all complete, nothing is done or told twice.

    The requests are of three rights at four vendors, which are slow, throttle, and lose some of their replies.
    """
    errands = Errands.of(world, how_many)
    before = {vendor: world.faults(vendor) for vendor in VENDORS}
    trouble(world)
    die = killer(world, part)
    requests = errands.file(world)
    amid = 0
    for kill in range(kills):
        done = how_many * kill // (kills + 1)
        wait_for(lambda done=done: world.completed(requests) >= done, within=180 + how_many)  # type: ignore[misc]
        amid += world.completed(requests) < how_many
        die()
    # While the broker is away the hosts work on: all that is left may be told at once when it comes back.
    assert amid > kills // 2, "there was too little left to disturb"
    world.wait(requests, within=180 + how_many)
    world.calm()
    errands.done_once(world, requests, folder)
    # A notifier that dies before it noted a mail says that it does not know.
    world.told_once(errands.people, surely=part != "notifier")
    befell = {vendor: world.faults(vendor) - before[vendor] for vendor in VENDORS}
    assert {vendor: sorted(faults) for vendor, faults in befell.items()} == dict.fromkeys(VENDORS, FAULTS)


def trouble(world: World) -> None:
    """Let every vendor be as vendors are: slow, strict now and then, and sometimes silent after the work was done.

    With this seed each fault has befallen a vendor by its 33rd call. After a dozen faults each behaves: one that fails
    a task of fifty calls again and again is only waited for longer.
    """
    for vendor in VENDORS:
        slow_jobs = {"job_seconds": 1.0} if vendor == "stripe" else {}
        world.knobs(vendor, latency=0.02, **dict.fromkeys(FAULTS, 0.02), seed=7, times=12, **slow_jobs)
