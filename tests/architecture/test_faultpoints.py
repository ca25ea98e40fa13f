"""Every place where a test may kill a process is declared, and every declared place exists."""

import ast

from services.chassis.faultpoints import FAULT_POINTS
from tests.architecture.tree import below, tree


def _passed() -> dict[str, str]:
    """Return where each name is passed, by name."""
    found = {}
    for module in below("services", "habeas"):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "faultpoint":
                assert isinstance(node.args[0], ast.Constant), f"{module}:{node.lineno}: name the fault point literally"
                found[str(node.args[0].value)] = f"{module}:{node.lineno}"
    return found


def test_what_is_passed_is_declared() -> None:
    assert {name: place for name, place in _passed().items() if name not in FAULT_POINTS} == {}


def test_what_is_declared_is_passed_somewhere() -> None:
    assert sorted(set(FAULT_POINTS) - _passed().keys()) == []
