"""A service has started once its health page said so, and not before."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from habeas.local import service
from habeas.local.errors import LocalStackError
from habeas.local.service import Service
from habeas.local.supervisor import Supervisor


@pytest.fixture
def probe(tmp_path: Path) -> Service:
    """A service whose process runs, whatever it is."""
    owner = SimpleNamespace(start=lambda *_, **__: SimpleNamespace(pid=1, running=True, exit_code=None))
    return Service("probe", environment={}, port=1, log=tmp_path / "log", owner=cast("Supervisor", owner))


def test_one_that_was_ready_has_started_though_it_is_busy_the_moment_after(
    probe: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])
    monkeypatch.setattr(service, "answers_ready", lambda port: next(answers, False))
    probe.start()
    assert not probe.is_ready()


def test_one_that_is_not_ready_in_time_is_told(probe: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "READY_WITHIN", 0.0)
    monkeypatch.setattr(service, "answers_ready", lambda port: False)
    with pytest.raises(LocalStackError, match="The service probe is not ready"):
        probe.start()
