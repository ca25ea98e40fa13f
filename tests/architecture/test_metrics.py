"""Metrics are made in the catalogues alone, where each says what it means; nobody else makes one in passing."""

import ast
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import below, tree

KINDS = {"Counter", "Enum", "Gauge", "Histogram", "Info", "Summary"}
LIBRARY = "prometheus_client"
EXPOSITION = {"CONTENT_TYPE_LATEST", "generate_latest"}  # what answers `/metrics` needs
CATALOGUES = [name for name in below("services", "habeas", "contracts") if PurePosixPath(name).name == "metrics.py"]
OTHERS = [name for name in below("services", "habeas", "contracts") if name not in CATALOGUES]


def made(module: ast.Module) -> list[ast.Call]:
    """Return where a module makes metrics by the library's names."""
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in KINDS]


def taken(module: ast.Module) -> set[str]:
    """Return what a module takes from the library; its own name where it takes all of it."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == LIBRARY:
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {LIBRARY for one in node.names if one.name.partition(".")[0] == LIBRARY}
    return found


def test_there_are_catalogues() -> None:
    assert "services/chassis/metrics.py" in CATALOGUES


def test_no_other_module_can_make_a_metric() -> None:
    assert {name: found for name in OTHERS if (found := taken(tree(name)) - EXPOSITION)} == {}


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_names_each_metric_once_and_says_what_it_means(name: str) -> None:
    module = tree(name)
    assert taken(module) <= KINDS
    top = [node.value for node in module.body if isinstance(node, ast.Assign)]
    assert made(module) == [value for value in top if value in made(module)], "made once, as the module is imported"
    for call in made(module):
        named, meaning = (str(ast.literal_eval(argument)) for argument in call.args[:2])
        assert named.startswith("habeas_")
        assert meaning.endswith("."), f"{named}: say in a sentence what it means"


def test_the_rule_sees_metrics_that_are_made_in_passing() -> None:
    assert taken(ast.parse("from prometheus_client import Counter")) == {"Counter"}
    assert taken(ast.parse("from prometheus_client.core import Gauge")) == {"Gauge"}
    assert taken(ast.parse("import prometheus_client as p")) == {"prometheus_client"}
    assert len(made(ast.parse("def f():\n    Counter('a', 'b')"))) == 1
