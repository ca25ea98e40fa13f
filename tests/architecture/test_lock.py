"""requirements.lock installs what pyproject.toml asks for: pinned, hashed, complete, and bound to no index."""

import re

import pytest

from tests.architecture.lock import declared, problems
from tests.architecture.tree import text

PYPROJECT = text("pyproject.toml")
LOCK = text("requirements.lock")


def test_the_lock_is_current() -> None:
    assert list(problems(PYPROJECT, LOCK)) == [], "run `make lock` and commit what changed"


def test_everything_declared_is_looked_at() -> None:
    names = {requirement.name for requirement in declared(PYPROJECT)}
    assert {"pydantic", "asyncpg", "typer", "boto3", "moto", "pytest", "hatchling"} <= names
    assert "habeas" not in names


def _without(name: str) -> str:
    return re.sub(rf"(?m)^{name}==.*\n(?:[ ]+.*\n)*", "", LOCK)


@pytest.mark.parametrize(
    ("lock", "found"),
    [
        (_without("asyncpg"), "asyncpg: is not locked, and pyproject.toml needs it"),
        (_without("annotated-types"), "annotated-types: is not locked, and pydantic needs it"),
        (LOCK.replace("faststream==0.7", "faststream==0.6"), "is locked, and pyproject.toml needs <0.8,>=0.7.8"),
        (LOCK + "extra==1.0\n", "extra: has no hash"),
        (LOCK + "--index-url https://packages.example\n", "neither a pin nor a hash"),
        (LOCK + "extra @ file:///elsewhere\n", "neither a pin nor a hash"),
        (LOCK + "extra>=1.0\n", "neither a pin nor a hash"),
    ],
)
def test_each_kind_of_drift_is_found(lock: str, found: str) -> None:
    assert lock != LOCK
    assert [line for line in problems(PYPROJECT, lock) if found in line]


def test_what_is_added_to_the_project_must_be_locked() -> None:
    more = PYPROJECT.replace('"httpx>=0.28",', '"httpx>=0.28", "left-out>=1",')
    assert "left-out: is not locked, and pyproject.toml needs it" in list(problems(more, LOCK))


def test_every_rule_that_is_switched_off_has_its_reason() -> None:
    lists = re.findall(r'(?m)^(?:ignore|"[^"]+") = \[\n(.*?)^\]', PYPROJECT, re.DOTALL)
    lines = [line for one in lists for line in one.splitlines()]
    assert len(lines) > 20
    assert [line for line in lines if not re.search(r"# \S.{7,}", line)] == []
