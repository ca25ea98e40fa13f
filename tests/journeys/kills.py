"""Kills parts of a running world while requests are under way, and judges by the vendors' books."""

from collections.abc import Callable, Sequence

import pytest

from tests.journeys.world import Person, World, wait_for


def killer(world: World, part: str) -> Callable[[], None]:
    """Return what kills one part and starts it again."""
    target = getattr(world.stack, part) if part in ("postgres", "kafka") else world.stack.services[part]
    if target is None:
        pytest.skip(f"kills {part}, and this server is not the test run's own")

    def die() -> None:
        target.kill()
        target.start()

    return die


def everything_completes_while(world: World, part: str, *, how_many: int, kills: int) -> None:
    """Kill `part` several times amid `how_many` erasures: all complete, nothing is done or told twice."""
    people = world.people(how_many)
    for vendor in ("hubspot", "s3"):
        world.knobs(vendor, latency=0.03)
    die = killer(world, part)
    requests = world.erase(people)
    for kill in range(kills):
        done = how_many * kill // (kills + 1)
        _wait_until_completed(world, requests, done)
        die()
    world.wait(requests, within=60 + how_many)
    world.erased_once(people)
    if part == "notifier":
        _everybody_is_told_or_it_is_said(world, people, requests)
    else:
        world.told_once(people)
    world.calm()


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
