"""The commands of a service beside `serve` start without the parts that only serving needs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
LOADED = "import sys, services.{0}.__main__; print('services.{0}.app' in sys.modules)"


@pytest.mark.parametrize("service", ["orchestrator", "connectors", "notifier"])
def test_a_command_does_not_import_what_serves(service: str) -> None:
    asked = [sys.executable, "-c", LOADED.format(service)]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    assert told == "False\n"
