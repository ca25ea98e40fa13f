"""Decisions that a reader of the tree can hold the code to; each page in services/decisions names its check."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from contracts.topics import ALL, TASKS
from tests.architecture.tree import below, files, text, tree

PAGES = [name for name in files() if re.fullmatch(r"services/decisions/\d{4}-[a-z0-9-]+\.md", name)]
SECTIONS = ("**Context.**", "**Decision.**", "**Consequences.**", "**Refused.**", "**Check.**")


@pytest.mark.parametrize("name", PAGES)
def test_a_decision_has_all_its_parts_and_ends_with_its_check(name: str) -> None:
    page = text(name)
    places = [page.find(section) for section in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)
    number = PurePosixPath(name).name[:4]
    assert page.startswith(f"# {number}: ")
    assert page.splitlines()[0].removeprefix(f"# {number}: ") in text("services/decisions/README.md")


@pytest.mark.parametrize("name", PAGES)
def test_the_check_of_a_decision_exists(name: str) -> None:
    named = re.findall(r"`((?:tests|contracts|services)/[\w/.-]+)`", text(name).partition("**Check.**")[2])
    assert named
    assert [one for one in named if one not in files()] == []


def test_decisions_are_numbered_one_by_one() -> None:
    assert [int(PurePosixPath(name).name[:4]) for name in PAGES] == list(range(1, len(PAGES) + 1))


def test_ids_are_text_in_every_table() -> None:
    """Decision 0001."""
    migrations = [name for name in below("services", suffix=".sql") if "/migrations/" in name]
    assert migrations
    assert [name for name in migrations if re.search(r"\buuid\b", text(name), re.IGNORECASE)] == []


def test_each_processor_has_a_topic_of_its_own() -> None:
    """Decision 0002."""
    assert [topic.name for topic in ALL if "{processor}" in topic.name] == [TASKS.name]


def test_only_the_relay_owns_a_producer() -> None:
    """Decision 0003: what is sent was a row first."""
    owners = {
        name
        for name in below("services", "habeas")
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in {"AIOKafkaProducer", "KafkaBroker", "publish"}
    }
    assert {name for name in owners if not name.startswith("services/chassis/kafka/")} == set()


def test_nobody_keeps_an_inbox() -> None:
    """Decision 0003: one truth."""
    for name in below("services", suffix=".sql"):
        assert not re.search(r"CREATE TABLE\s+(IF NOT EXISTS\s+)?\w*inbox", text(name), re.IGNORECASE), name
