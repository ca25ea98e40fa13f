"""Topics are named as the brokers' rules and ours have it."""

import re

import pytest

from contracts.notices import NoticeDue
from contracts.reports import TaskSettled
from contracts.tasks import TaskDispatched
from contracts.topics import ALL, FIXED, MESSAGES, NOTIFIER, REPORTS, TASKS, Topic


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_a_name_is_ours_and_has_a_major_version(topic: Topic) -> None:
    name = topic.named("", NOTIFIER)
    assert re.fullmatch(r"habeas\.[a-z.]+\.v1", name)
    assert topic.partitions >= 1


def test_a_namespace_stands_before_the_name() -> None:
    assert REPORTS.named("") == "habeas.reports.v1"
    assert REPORTS.named("eu") == "eu.habeas.reports.v1"
    assert TASKS.named("eu", "crm-eu") == "eu.habeas.tasks.crm-eu.v1"
    assert REPORTS.named("eu", "crm-eu") == "eu.habeas.reports.v1"


def test_only_a_processors_own_topic_is_not_there_from_the_start() -> None:
    assert set(ALL) - set(FIXED) == {TASKS}


def test_a_type_on_the_wire_finds_its_model() -> None:
    assert MESSAGES["dev.habeas.task.settled.v1"] is TaskSettled
    assert all(model.wire_type() == wire_type for wire_type, model in MESSAGES.items())


def test_seals_are_kept_out_of_what_is_shown() -> None:
    for model in (TaskDispatched, TaskSettled, NoticeDue):
        assert model.model_fields["sealed"].repr is False
