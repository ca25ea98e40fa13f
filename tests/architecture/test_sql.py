"""SQL is a file that reads as SQL: queries have names and sentences and are used; migrations say when they run."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from services.chassis.postgres.queries import parse
from tests.architecture.tree import CODE, below, text, tree

MIGRATIONS = [name for name in below(*CODE, suffix=".sql") if "/migrations/" in name]
QUERIES = [name for name in below(*CODE, suffix=".sql") if "/migrations/" not in name]


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_has_a_name_and_a_sentence(name: str) -> None:
    found = list(parse(name, text(name)))  # raises for a query without sentence or statement
    assert found, "a file of queries has at least one `-- name: ...`"
    before = text(name).partition("-- name:")[0]
    assert all(not line.strip() or line.startswith("--") for line in before.splitlines())
    for query, sql in found:
        comment = sql.splitlines()[0].removeprefix("--").strip()
        assert re.match(r"[A-Z`]", comment), f"{query}: say in a sentence what it does"


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_used(name: str) -> None:
    service = PurePosixPath(name).parts[1]
    literals = {
        node.value
        for module in below(f"services/{service}")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [query for query, _ in parse(name, text(name)) if query not in literals] == []


@pytest.mark.parametrize("folder", sorted({str(PurePosixPath(name).parent) for name in MIGRATIONS}))
def test_migrations_say_their_turn_and_whether_they_run_before_or_after_the_code(folder: str) -> None:
    names = [PurePosixPath(name).name for name in MIGRATIONS if str(PurePosixPath(name).parent) == folder]
    shapes = [re.fullmatch(r"(\d{4})_(pre|post)_[a-z0-9_]+\.sql", name) for name in names]
    assert all(shapes), names
    numbers = [int(shape[1]) for shape in shapes if shape]
    assert len(set(numbers)) == len(numbers), "two migrations have one number"
