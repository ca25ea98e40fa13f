"""A package with 200 MB of a processor takes at most 64 MB more memory than a small one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SIZE = 200_000_000
MOST_GROWTH = 64 << 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process held at most")


def run(*arguments: str | Path, **more: str) -> str:
    command = (sys.executable, "-m", "tests.integration.services.orchestrator.bulky", *map(str, arguments))
    return subprocess.run(command, cwd=ROOT, env=os.environ | more, check=True, capture_output=True, text=True).stdout


def test_a_large_package_is_made_in_flat_memory(tmp_path: Path) -> None:
    run("write", tmp_path, str(SIZE), "big")
    told = json.loads(run("make", tmp_path))
    assert told["bytes"] > SIZE // 2  # half of it, random bytes, takes as much in a ZIP
    assert told["growth"] < MOST_GROWTH


def test_the_measure_would_notice(tmp_path: Path) -> None:
    """Half as much, read with the whole object as one piece: what is asserted above must fail."""
    run("write", tmp_path, str(SIZE // 2), "big")
    assert json.loads(run("make", tmp_path, AT_A_TIME=str(SIZE)))["growth"] > MOST_GROWTH
