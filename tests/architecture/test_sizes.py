"""Files and functions stay small enough to be read at once; there is no list of exceptions."""

import math
from collections.abc import Sequence

import pytest

from tests.architecture.tree import CODE, below, functions, text

FILE_CAP, FILE_P95 = 400, 300
FUNCTION_CAP, FUNCTION_P95 = 60, 36
PARTS = {"code": CODE, "tests": ("tests",)}


def p95(values: Sequence[int]) -> int:
    """Return the value that 95 in 100 do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _file_lengths(part: str) -> dict[str, int]:
    return {name: len(text(name).splitlines()) for name in below(*PARTS[part])}


def _function_lengths(part: str) -> dict[str, int]:
    return {f"{name}: {function}": lines for name in below(*PARTS[part]) for function, lines in functions(name)}


@pytest.mark.parametrize("part", PARTS)
def test_no_file_is_longer_than_the_cap(part: str) -> None:
    assert {name: lines for name, lines in _file_lengths(part).items() if lines > FILE_CAP} == {}


@pytest.mark.parametrize("part", PARTS)
def test_long_files_are_rare(part: str) -> None:
    assert p95(list(_file_lengths(part).values())) <= FILE_P95


@pytest.mark.parametrize("part", PARTS)
def test_no_function_is_longer_than_the_cap(part: str) -> None:
    assert {name: lines for name, lines in _function_lengths(part).items() if lines > FUNCTION_CAP} == {}


@pytest.mark.parametrize("part", PARTS)
def test_long_functions_are_rare(part: str) -> None:
    assert p95(list(_function_lengths(part).values())) <= FUNCTION_P95


def test_the_percentile_is_the_nearest_rank() -> None:
    assert p95(range(1, 101)) == 95
    assert p95([7]) == 7
    assert p95([1] * 18 + [50, 60]) == 50
