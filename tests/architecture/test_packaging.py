"""The wheel brings one top-level import, and below it everything that the processes need to start."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, below, files

SERVER = "habeas/_server"


def _run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment or None, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network by the build backend that is locked."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel alone was installed."""
    folder = tmp_path_factory.mktemp("site")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "--target",
        folder,
    )
    _run(*pip, wheel)
    return folder


def test_the_only_top_level_import_is_habeas(installed: Path) -> None:
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {"habeas", "bin"}


def test_everything_tracked_is_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    expected = {name for name in files() if name.startswith("habeas/")}
    expected |= {f"{SERVER}/{name}" for name in files() if name.startswith(("services/", "contracts/"))}
    expected |= {f"{SERVER}/deploy/config/retention.toml", f"{SERVER}/deploy/kafka/pom.xml"}
    assert expected - packed == set()
    assert {name for name in packed - expected if ".dist-info/" not in name} == set()


def test_queries_and_migrations_are_in_the_wheel(installed: Path) -> None:
    assert below("services", suffix=".sql")
    assert all((installed / SERVER / name).is_file() for name in below("services", suffix=".sql"))


def test_habeas_imports_nothing_by_itself(installed: Path) -> None:
    program = "import sys; before = set(sys.modules); import habeas; print(sorted(set(sys.modules) - before))"
    assert _run(sys.executable, "-P", "-c", program, cwd=installed, PYTHONPATH=str(installed)).strip() == "['habeas']"


def test_an_authors_own_services_and_contracts_do_not_collide(installed: Path, tmp_path: Path) -> None:
    for name in ("services", "contracts"):
        (tmp_path / f"{name}.py").write_text(f"mine = {name!r}\n", encoding="utf-8")
    program = "import habeas.sdk, services, contracts; print(services.mine, contracts.mine)"
    path = f"{tmp_path}:{installed}"
    assert _run(sys.executable, "-P", "-c", program, cwd=tmp_path, PYTHONPATH=path).strip() == "services contracts"


def test_processes_start_from_inside_the_wheel(installed: Path) -> None:
    program = (
        "import contracts.topics, services.chassis.settings as found; print(found.__file__);"
        "from services.orchestrator.settings import SHIPPED_RETENTION as kept; assert kept.is_file(), kept"
    )
    path = f"{installed / SERVER}:{installed}"
    where = _run(sys.executable, "-P", "-c", program, cwd=installed / SERVER, PYTHONPATH=path).strip()
    assert Path(where).is_relative_to(installed / SERVER)
