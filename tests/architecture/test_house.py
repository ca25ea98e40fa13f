"""Where things stand and what they are called: the floor plan as a check."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import CODE, ROOT, below, files, text, tree

TOP = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "contracts",
    "deploy",
    "habeas",
    "pyproject.toml",
    "requirements.lock",
    "services",
    "tests",
}
# Names that say nothing of what is inside, as a whole or as a part of a name.
EMPTY_NAMES = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}
EMPTY_PARTS = EMPTY_NAMES - {"base", "core"}  # knowledge_base would be a noun

# Put together here, so that this file does not break its own rule.
INDEX_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
]
LOCAL_PATH = re.compile(r"(?<![\w.$}/-])/(?:home|Users|root|work)/[\w.]")


def test_the_top_level_is_fixed() -> None:
    assert {PurePosixPath(name).parts[0] for name in files()} == TOP


@pytest.mark.parametrize("name", below(*CODE, "tests"))
def test_a_module_says_what_its_room_is_for(name: str) -> None:
    description = ast.get_docstring(tree(name))
    assert description, "begin with a sentence that says what this module is for"
    first = " ".join(description.split("\n\n", maxsplit=1)[0].split())
    assert first[-1] in ".?:)", "a module's first paragraph is a sentence"


def test_names_say_what_is_inside() -> None:
    parts = {
        part for name in below(*CODE, "tests") for part in (*PurePosixPath(name).parts[:-1], PurePosixPath(name).stem)
    }
    assert {part for part in parts if part in EMPTY_NAMES or set(part.split("_")) & EMPTY_PARTS} == set()


def test_a_folder_of_modules_is_a_package_and_not_an_empty_one() -> None:
    names = below(*CODE)
    folders = {str(PurePosixPath(name).parent) for name in names}
    assert {folder for folder in folders if f"{folder}/__init__.py" not in names} == set()
    inhabited = {
        str(parent) for name in files() if not name.endswith("__init__.py") for parent in PurePosixPath(name).parents
    }
    assert {folder for folder in folders if folder not in inhabited} == set()


def _words(name: str) -> str:
    try:
        return text(name)
    except UnicodeDecodeError:
        return ""  # pictures


@pytest.mark.parametrize("name", [name for name in files() if name != "LICENSE"])
def test_a_file_names_no_package_index_and_no_path_of_one_machine(name: str) -> None:
    words = _words(name)
    assert [host for host in INDEX_HOSTS if host in words] == []
    assert str(ROOT) not in words
    assert LOCAL_PATH.findall(words) == []


def test_the_rule_against_local_paths_sees_them() -> None:
    folder = PurePosixPath("/", "home", "jane", "x.py")
    assert LOCAL_PATH.search(f"see {folder}")
    assert LOCAL_PATH.search(f'"{folder}"')
    assert not LOCAL_PATH.search(f"https://example.com{folder}")
    assert not LOCAL_PATH.search("$HOME/work/x")
