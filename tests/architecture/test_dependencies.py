"""What is imported is declared, and what is declared says why it is there."""

import ast
import re
import sys
from importlib import metadata

from packaging.utils import canonicalize_name

from tests.architecture.lock import declared
from tests.architecture.tree import below, text, tree

PYPROJECT = text("pyproject.toml")
OURS = {"habeas", "services", "contracts", "tests", "shop_habeas"}  # the last is the tutorial's own package
# Released as one with what is declared: a part of its interface under another name.
PARTS = {"pydantic-core": "pydantic", "mypy-boto3-s3": "boto3-stubs", "opentelemetry-api": "opentelemetry-sdk"}


def imported() -> dict[str, str]:
    """Return each package of others that some module imports by name, and one such module."""
    found: dict[str, str] = {}
    for name in below("habeas", "services", "contracts", "tests"):
        for node in ast.walk(tree(name)):
            modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            found |= {module.partition(".")[0]: name for module in modules}
    return {package: name for package, name in found.items() if package not in OURS | sys.stdlib_module_names}


def test_what_is_imported_is_declared() -> None:
    names = {canonicalize_name(one.name) for one in declared(PYPROJECT)}
    sources = metadata.packages_distributions()
    missing = {}
    for package, name in imported().items():
        come_from = {canonicalize_name(one) for one in sources[package]}
        if not names & (come_from | {PARTS.get(one, one) for one in come_from}):
            missing[package] = name
    assert missing == {}


def reasons(pyproject: str) -> dict[str, str]:
    """Return what stands behind each dependency, as a remark."""
    project = pyproject.split("\n[project]\n")[1].split("\n[project.scripts]\n", maxsplit=1)[0]
    lines = re.findall(r'(?m)^    "([^"]+)",(.*)$', project)
    return {name: remark.partition("#")[2].strip() for name, remark in lines if not name.startswith("Programming")}


def test_every_dependency_says_why_it_is_there() -> None:
    told = {name: why for name, why in reasons(PYPROJECT).items() if not name.startswith(("habeas[", "Typing"))}
    assert len(told) > 40
    assert [name for name, why in told.items() if len(why) < 8] == []


def test_a_dependency_without_a_reason_is_found() -> None:
    without = re.sub(r'(?m)("httpx>=0.28",).*$', r"\1", PYPROJECT)
    assert reasons(without)["httpx>=0.28"] == ""
