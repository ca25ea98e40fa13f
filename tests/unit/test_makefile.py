"""The Makefile sets .venv up by itself, also after somebody broke it off."""

import os
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
    # A touch may fall on the same tick of the clock as the stamp.
    earlier = (checkout / "pyproject.toml").stat().st_mtime - 1
    os.utime(checkout / ".venv" / ".installed", (earlier, earlier))
    asked = make(checkout)
    assert asked
    assert not any("-m venv" in line for line in asked)


def told(checkout: Path, *arguments: str, path: Path | None = None) -> str:
    """Fail to set it up; return what was said, but for what `make` itself says of a failure."""
    command = [str(shutil.which("make")), "--no-print-directory", "venv", *arguments]
    environment = {**os.environ, **({"PATH": str(path)} if path else {})}
    done = subprocess.run(
        command, cwd=checkout, env=environment, check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert not (checkout / ".venv").exists()
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    return line


@needs_make
def test_a_machine_without_python_is_told_so(checkout: Path) -> None:
    nothing = checkout / "nothing"
    nothing.mkdir()
    assert told(checkout, path=nothing).startswith("Habeas needs Python 3.11 or newer on PATH, or say: make PYTHON=")


@needs_make
def test_a_python_that_is_too_old_is_no_python(checkout: Path) -> None:
    old = checkout / "old"
    old.mkdir()
    for name in ("python3.11", "python3"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")  # what `sys.version_info < (3, 11)` makes of it
        (old / name).chmod(0o755)
    assert told(checkout, path=old).startswith("Habeas needs Python 3.11 or newer")


@needs_make
def test_a_python_without_venv_is_told_with_the_package_that_brings_it(checkout: Path) -> None:
    python = checkout / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *"import ensurepip, venv"*) echo Traceback >&2; exit 1 ;; esac\n')
    assert told(checkout, "PYTHON=./python") == (
        "./python cannot make virtual environments (Debian, Ubuntu: apt-get install python3-venv)"
    )
