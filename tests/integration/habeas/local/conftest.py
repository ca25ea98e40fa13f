"""Homes and ports of a test's own, and the stand-ins for the services."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from habeas.local import places
from habeas.local.kafka import KafkaServer
from habeas.local.postgres import PostgresServer
from habeas.local.supervisor import Supervisor
from tests.leftovers import processes_about

STAND_IN = Path(__file__).with_name("stand_in.py")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    own = Supervisor()
    yield own
    own.close()


@pytest.fixture
def new_postgres(tmp_path: Path, supervisor: Supervisor) -> Callable[[str], PostgresServer]:
    return lambda name: PostgresServer(tmp_path / name, owner=supervisor)


@pytest.fixture
def new_kafka(tmp_path: Path, supervisor: Supervisor) -> Callable[[str], KafkaServer]:
    return lambda name: KafkaServer(tmp_path / name, owner=supervisor)


@pytest.fixture
def stand_ins(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An import root whose services are stand-ins; programs started by the test find it too."""
    root = tmp_path_factory.mktemp("root")
    for name in ("orchestrator", "connectors", "notifier", "sandbox"):
        (root / "services" / name).mkdir(parents=True)
        (root / "services" / "__init__.py").touch()  # so that the installed services do not go before them
        shutil.copy(STAND_IN, root / "services" / name / "__main__.py")
    shutil.copytree(places.import_root() / "deploy" / "kafka", root / "deploy" / "kafka")
    monkeypatch.setattr(places, "import_root", lambda: root)
    for variable in ("HABEAS_POSTGRES_URL", "HABEAS_KAFKA_BOOTSTRAP", "HABEAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the test's stack lives."""
    return tmp_path / "home"


@pytest.fixture
def left_behind(home: Path) -> Callable[[], list[str]]:
    """The processes that a stack on `home` started and that still run, found by their command or environment."""
    return lambda: processes_about(home)
