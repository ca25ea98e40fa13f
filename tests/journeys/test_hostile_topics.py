"""Whoever may write to a topic can neither forge, replay nor break anything, and everybody else goes on."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from contracts import ids
from contracts.topics import FIXED, REQUESTS, TASKS
from habeas.client import HabeasProblem
from services.chassis.crypto.keys import FixedKeys
from services.chassis.crypto.seal import seal
from services.chassis.kafka.decoding import Believed, Decoder, Refused, Skipped
from tests.batches import header_name
from tests.journeys.broker import Broker, Record
from tests.journeys.hostile import Keys, many_unproven, spoilt
from tests.journeys.scenes import SCENES, Notices, Scene, Tasks, keys_of
from tests.journeys.world import World, wait_for

pytestmark = pytest.mark.timeout(900)


@contextmanager
def on(name: str, world: World) -> Iterator[Scene]:
    """Set a scene up, and let the world go on behind it."""
    scene = SCENES[name](world)
    try:
        yield scene
    finally:
        scene.tear_down()


def test_there_is_a_scene_for_every_topic_that_is_read() -> None:
    assert {scene.topic for scene in SCENES.values()} == {TASKS, *FIXED} - {REQUESTS}


@pytest.mark.parametrize("topic", SCENES)
def test_wrong_records_become_dead_letters_and_the_genuine_ones_around_them_arrive_once(
    calm: World, topic: str
) -> None:
    with on(topic, calm) as scene:
        before = len(scene.dead())
        first, second, third = scene.genuine()
        wrong = spoilt(second, scene.keys, knows_all=scene.knows_all)
        flood = many_unproven(second)
        scene.broker.write([first, *(record for record, _ in wrong), *flood, second, third])
        wait_for(lambda: scene.arrived() == [1, 1, 1], within=180)
        expected = Counter(reason for _, reason in wrong) + Counter({"no_proof": len(flood)})
        wait_for(lambda: Counter(scene.dead()[before:]) >= expected, within=180)
        assert Counter(scene.dead()[before:]) == expected
        assert not scene.halted()
        assert scene.arrived() == [1, 1, 1]


@pytest.mark.parametrize("topic", SCENES)
def test_a_replayed_record_changes_nothing(calm: World, topic: str) -> None:
    with on(topic, calm) as scene:
        before = len(scene.dead())
        records = scene.genuine()
        scene.broker.write(records[:2])
        scene.broker.write([*records[:2], *records[:1], records[2]])
        wait_for(lambda: scene.arrived() == [1, 1, 1], within=180)
        scene.broker.write([*records, *reversed(records)])
        mark = scene.genuine()[0].with_header("habeas-proof", None)
        scene.broker.write([mark])  # once this is a dead letter, all that came before was taken
        wait_for(lambda: len(scene.dead()) > before, within=180)
        assert scene.arrived() == [1, 1, 1]
        assert scene.dead()[before:] == ["no_proof"]


def test_a_task_past_its_time_or_under_a_wrong_seal_touches_nobody(calm: World) -> None:
    with on("tasks", calm) as scene:
        assert isinstance(scene, Tasks)
        late, moved, sealed_elsewhere = scene.people
        of_another_task = scene.seal_of(scene.task(moved, ids.new("tsk")))
        scene.broker.write(
            [
                scene.task(late, scene.tasks[0], lives=-60.0),
                scene.task(moved, scene.tasks[1], sealed=of_another_task),
                scene.task(sealed_elsewhere, scene.tasks[2], sealed=seal(scene.keys.other, b"{}")),
            ]
        )
        wait_for(lambda: scene.unsealable() == set(scene.tasks[1:]), within=180)
        assert scene.arrived() == [0, 0, 0]
        assert not scene.halted()


def test_a_notice_past_its_time_or_under_a_wrong_seal_is_told_to_nobody(calm: World) -> None:
    with on("notices", calm) as scene:
        assert isinstance(scene, Notices)
        late, elsewhere, good = scene.addresses
        scene.broker.write(
            [scene.notice(late, lives=-60.0), scene.notice(elsewhere, keys=scene.keys.other), scene.notice(good)]
        )
        wait_for(lambda: scene.arrived()[2] == 1, within=180)
        assert scene.arrived() == [0, 0, 1]


def test_a_reader_of_the_facts_believes_none_but_the_genuine(calm: World) -> None:
    """Nobody in the house reads the facts; whoever does reads them with these eyes."""
    (request,) = calm.erase(calm.people(1))
    calm.wait([request])
    notifier, other = keys_of(calm, "notifier"), keys_of(calm, "files")
    records = [one for one in read(calm, REQUESTS.name) if one.key == request.encode()]
    decoder = Decoder({REQUESTS.named(calm.stack.namespace): REQUESTS}, FixedKeys([notifier, other]))
    assert {type(decoder.decode(one)) for one in records} == {Believed}
    for record, reason in spoilt(records[0], Keys(notifier, other), knows_all=True):
        if reason.startswith("unreadable"):
            continue  # there is nothing of it to decode
        told = decoder.decode(record)
        if reason == "unknown_type":
            assert isinstance(told, Skipped)
        else:
            assert isinstance(told, Refused)
            assert told.reason == reason


def read(world: World, topic: str) -> list[Record]:
    """Return what is on a fixed topic."""
    (contract,) = (one for one in FIXED if one.name == topic)
    return Broker(world.stack.kafka_bootstrap).read(contract.named(world.stack.namespace), contract.partitions)


# Which rows can not be written for a while, so that a genuine message becomes a dead letter of each service.
REFUSED = {
    "orchestrator": (
        "orchestrator.tasks",
        "UPDATE",
        "NEW.settled_at IS NOT NULL AND NEW.processor = 'crm-eu' AND NEW.round = 1",
    ),
    "connectors": ("connectors.tasks", "INSERT", "NEW.processor = 'files'"),
    "notifier": ("notifier.notices", "INSERT", "NEW.kind = 'completion'"),
}
TRIGGER = """
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF {condition} THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION public.refuse();
"""


@pytest.mark.parametrize("service", REFUSED)
def test_a_redriven_dead_letter_is_the_same_event_and_works(calm: World, service: str) -> None:
    scene = Tasks(calm)
    table, event, condition = REFUSED[service]
    letters = f"SELECT id, topic, reason, proven, event_id FROM {service}.dead_letters WHERE state = 'dead' AND proven"
    before = {row["id"] for row in scene.rows(letters)}
    scene.run(TRIGGER.format(table=table, event=event, condition=condition))
    try:
        people = calm.people(1)
        requests = calm.erase(people)
        wait_for(lambda: {row["id"] for row in scene.rows(letters)} > before, within=180)
    finally:
        scene.run("DROP FUNCTION public.refuse() CASCADE")
    (letter,) = (row for row in scene.rows(letters) if row["id"] not in before)
    assert "RaiseError" in letter["reason"]
    redrive(calm, service, letter["id"])
    calm.wait(requests)
    calm.erased_once(people)
    calm.told_once(people)
    copies = [one for one in topic_of(calm, letter["topic"]) if one.event_id == letter["event_id"]]
    assert len(copies) == 2
    assert len({(one.key, one.value, one.headers) for one in copies}) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: replace(one, key=b"\xff\xfe"),
        lambda one: replace(one, key=b"a\x00b"),
        lambda one: replace(one, value=None),
        lambda one: replace(one, headers=(*one.headers, *one.headers)),
        lambda one: replace(one, headers=((header_name(b"\xff"), b"x"),)),
    ],
    ids=["key that is no text", "key with a NUL", "no body", "headers twice", "not to be read"],
)
def test_what_can_not_be_sent_again_as_it_came_is_not_sent_at_all(
    calm: World, spoil: Callable[[Record], Record]
) -> None:
    with on("processors", calm) as scene:
        before = len(scene.dead())
        scene.broker.write([spoil(scene.genuine()[0])])
        wait_for(lambda: len(scene.dead()) > before, within=180)
        letter = next(iter(calm.habeas.dead_letters.list()))
        with pytest.raises(HabeasProblem) as refused:
            calm.habeas.dead_letters.redrive("orchestrator", letter.id)
        assert refused.value.code == "dead_letter_not_redrivable"


def redrive(world: World, service: str, letter: int) -> None:
    """Have a dead letter sent again, as an operator does."""
    if service == "orchestrator":
        world.habeas.dead_letters.redrive(service, letter)
    else:
        world.stack.services[service].run("dead-letters", "redrive", str(letter))


def topic_of(world: World, name: str) -> list[Record]:
    """Return what is on any topic."""
    partitions = {one.named(world.stack.namespace): one.partitions for one in FIXED}.get(name, TASKS.partitions)
    return Broker(world.stack.kafka_bootstrap).read(name, partitions)
