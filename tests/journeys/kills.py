"""Kills parts of a running world while requests are under way, and judges by the vendors' books."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.journeys.errands import Errands
from tests.journeys.world import VENDORS, Person, World, wait_for


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
    trouble(world)
    die = killer(world, part)
    requests = errands.file(world)
    for kill in range(kills):
        done = how_many * kill // (kills + 1)
        _wait_until_completed(world, requests, done)
        die()
    world.wait(requests, within=60 + how_many)
    world.calm()
    errands.done_once(world, requests, folder)
    if part == "notifier":
        _everybody_is_told_or_it_is_said(world, errands.people, requests)
    else:
        world.told_once(errands.people)


def trouble(world: World) -> None:
    """Let every vendor be as vendors are: slow, strict now and then, and sometimes silent after the work was done.

    After a dozen faults each behaves: one that fails a task of fifty calls again and again is only waited for longer.
    """
    for vendor in VENDORS:
        slow_jobs = {"job_seconds": 1.0} if vendor == "stripe" else {}
        world.knobs(vendor, latency=0.02, rate_limit=0.02, drop_reply=0.02, seed=7, times=12, **slow_jobs)


def _wait_until_completed(world: World, requests: Sequence[str], count: int) -> None:
    wait_for(lambda: world.completed(requests) >= count, within=60)


def _everybody_is_told_or_it_is_said(world: World, people: Sequence[Person], requests: Sequence[str]) -> None:
    """A notifier that dies before it noted a mail says that it does not know; nobody is told twice."""
    wait_for(lambda: all(_both_notices_ended(world, one) for one in requests), within=60)
    for subjects in world.mails(people).values():
        assert len(subjects) == len(set(subjects))


def _both_notices_ended(world: World, request: str) -> bool:
    ends = {"notice.sent", "notice.unknown"}
    told = [one.detail["kind"] for one in world.habeas.requests.timeline(request) if one.type in ends]
    return set(told) == {"acknowledgement", "completion"}
