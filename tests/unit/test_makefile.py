"""The Makefile sets .venv up by itself, also after somebody broke it off."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

# Answers what the Makefile asks of a Python. Made as .venv/bin/python, it has pip.
PYTHON = """#!/bin/sh
echo "$0 $*" >> "{log}"
case "$*" in
*"-m venv --clear .venv"*) rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile, and a Python that only writes down what it was asked."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / "python"
    python.write_text(PYTHON.format(log=tmp_path / "log"))
    python.chmod(0o755)
    return tmp_path


def make(checkout: Path) -> list[str]:
    """Set it up; return what the Python was asked."""
    (checkout / "log").unlink(missing_ok=True)
    subprocess.run(["make", "venv", "PYTHON=./python"], cwd=checkout, check=True, capture_output=True, timeout=120)
    log = checkout / "log"
    return log.read_text().splitlines() if log.exists() else []


@needs_make
def test_a_half_made_environment_is_made_anew(checkout: Path) -> None:
    """Ctrl-C while .venv is made leaves a Python without pip."""
    half = checkout / ".venv" / "bin" / "python"
    half.parent.mkdir(parents=True)
    half.write_text("#!/bin/sh\nexit 1\n")
    half.chmod(0o755)
    assert any("-m venv --clear .venv" in line for line in make(checkout))


@needs_make
def test_a_whole_environment_stays(checkout: Path) -> None:
    assert any("-m venv" in line for line in make(checkout))
    assert make(checkout) == []
    (checkout / "pyproject.toml").touch()
    asked = make(checkout)
    assert asked
    assert not any("-m venv" in line for line in asked)
