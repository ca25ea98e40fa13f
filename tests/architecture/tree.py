"""The files of the repository as the rules of the house see them: what is tracked, or new and not ignored."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("habeas", "services", "contracts")


@cache
def files() -> tuple[str, ...]:
    """Return the path of every file, from the root, in order."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()}))


def below(*folders: str, suffix: str = ".py") -> list[str]:
    """Return the files with a suffix below some folders of the root."""
    inside = tuple(f"{folder}/" for folder in folders)
    return [name for name in files() if name.startswith(inside) and name.endswith(suffix)]


def text(name: str) -> str:
    """Return what stands in a file."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(text(name), name)


def functions(name: str) -> Iterator[tuple[str, int]]:
    """Yield name and length in lines of every function of a module, from `def` to its last line."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
