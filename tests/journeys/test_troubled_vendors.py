"""Vendors lie, lose replies, throttle and break: the outcome says what is true, and no more."""

from collections.abc import Iterator

import pytest

from tests.journeys.errands import PROCESSORS
from tests.journeys.world import VENDORS, Person, World, wait_for, world

PATIENCE = 2  # seconds until a silent task is shown


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("stack"), HABEAS_SILENCE_ATTENTION=str(PATIENCE)) as one:
        yield one


def attention(world: World, request: str) -> str | None:
    """Return why a request needs a person, if it does."""
    shown = world.habeas.requests.get(request).attention
    return shown.reason if shown else None


def attentions(world: World, request: str) -> dict[str, str]:
    """Return which processors' tasks need a person, and why."""
    tasks = world.habeas.requests.tasks(request)
    return {one.processor: one.attention.reason for one in tasks if one.attention is not None}


def test_each_lying_vendor_is_caught_and_its_data_is_erased_once_it_stops_lying(calm: World) -> None:
    (person,) = calm.people(1)
    for vendor in VENDORS:
        calm.knobs(vendor, lie=True)
    (request,) = calm.erase([person])
    caught = dict.fromkeys(PROCESSORS, "residue_remains")
    wait_for(lambda: attentions(calm, request) == caught, within=180)
    assert calm.completed([request]) == 0
    assert calm.remains(person) > 0
    calm.calm()
    calm.habeas.requests.retry(request)
    (done,) = calm.wait([request])
    assert done.outcome is not None
    assert done.outcome.headline in ("fulfilled", "fulfilled_with_retention")
    assert calm.remains(person) == 0


EFFECTS = {"hubspot": "gdpr-delete", "s3": "POST /habeas-demo", "openai": "DELETE ", "stripe": "POST "}


def test_a_reply_that_is_lost_after_the_effect_is_looked_up_and_nothing_happens_twice(calm: World) -> None:
    people = calm.people(5)
    before = {vendor: calm.faults(vendor) for vendor in VENDORS}
    for vendor, effect in EFFECTS.items():
        calm.knobs(vendor, drop_reply=1, only=effect, times=6)
    requests = calm.erase(people)
    for done in calm.wait(requests):
        assert done.outcome is not None
        assert done.outcome.headline in ("fulfilled", "fulfilled_with_retention")  # a shared ticket stays
    lost = {vendor: (calm.faults(vendor) - before[vendor])["drop_reply"] for vendor in VENDORS}
    assert min(lost.values()) > 0, lost
    calm.erased_once(people)


@pytest.mark.timeout(900)
def test_a_vendor_that_throttles_and_breaks_now_and_then_is_outlasted(calm: World) -> None:
    people = calm.people(5)
    before = {vendor: calm.faults(vendor) for vendor in ("hubspot", "s3")}
    # A dozen faults of each vendor: without an end, one task may meet them until its back-off outlasts any test.
    calm.knobs("hubspot", rate_limit=0.1, fail_5xx=0.1, seed=7, times=12)
    calm.knobs("s3", fail_5xx=0.1, seed=7, times=12)
    requests = calm.erase(people)
    calm.wait(requests, within=180)
    befell = {vendor: sorted(calm.faults(vendor) - faults) for vendor, faults in before.items()}
    assert befell == {"hubspot": ["fail_5xx", "rate_limit"], "s3": ["fail_5xx"]}
    calm.erased_once(people)


def test_a_processor_that_is_down_shows_as_attention_and_the_request_waits_for_it(calm: World) -> None:
    (person,) = calm.people(1)
    calm.stack.services["connectors"].kill()
    (request,) = calm.erase([person])
    wait_for(lambda: attention(calm, request) == "silent", within=180)
    assert calm.habeas.requests.get(request).state == "in_progress"
    calm.stack.services["connectors"].start()
    calm.wait([request])
    assert attention(calm, request) is None
    calm.erased_once([person])


def test_a_processor_that_never_announced_holds_the_request_until_it_is_retired(calm: World) -> None:
    (person,) = calm.people(1)
    calm.habeas.processors.enrol("never-there", kind="hubspot")
    (request,) = calm.erase([person])
    wait_for(lambda: attention(calm, request) == "never_announced", within=180)
    wait_for(lambda: _open(calm, request) == ["never-there"], within=180)
    calm.habeas.processors.retire("never-there", reason="it was a rehearsal")
    (done,) = calm.wait([request])
    assert done.outcome is not None
    assert done.outcome.headline == "partly_fulfilled"
    assert "processor_retired" in {line.reason for line in done.outcome.lines}
    calm.erased_once([person])
    _told_that_not_all_was_done(calm, person)


def _open(world: World, request: str) -> list[str]:
    return [one.processor for one in world.habeas.requests.tasks(request) if one.state not in ("settled", "cancelled")]


def _told_that_not_all_was_done(world: World, person: Person) -> None:
    world.told_once([person])
    _, answered = world.letters(person)
    assert "We have done part of what you asked." in answered
    assert "Not done" in answered


def test_a_task_can_be_skipped_and_the_outcome_says_so(calm: World) -> None:
    (person,) = calm.people(1)
    calm.knobs("s3", lie=True)
    (request,) = calm.erase([person])
    wait_for(lambda: attention(calm, request) == "residue_remains", within=180)
    stuck = next(one for one in calm.habeas.requests.tasks(request) if one.attention is not None)
    calm.habeas.tasks.skip(stuck.id, reason="the vendor is being replaced")
    (done,) = calm.wait([request])
    assert done.outcome is not None
    assert done.outcome.headline == "partly_fulfilled"
    assert "skipped_by_operator" in {line.reason for line in done.outcome.lines}
