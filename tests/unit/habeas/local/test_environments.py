"""Each service is told what it needs, and no secret that is not its own."""

import base64
import os
from pathlib import Path

import pytest

from habeas.local import environments
from habeas.local.environments import with_role
from habeas.local.home import Home
from habeas.local.ports import PortLease

OWNER_URL = "postgresql://owner:owner-password@127.0.0.1:5433/habeas?sslmode=disable"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def told(home: Home) -> dict[str, dict[str, str]]:
    ports = {name: 20_000 + number for number, name in enumerate(environments.PORTS)}
    return environments.environments(
        home,
        given=os.environ,
        root=Path("/root-of-imports"),
        ports=ports,
        postgres_url=OWNER_URL,
        kafka_bootstrap="127.0.0.1:9092",
    )


def test_no_service_gets_the_owners_password(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_POSTGRES_URL", OWNER_URL)
    for environment in told(home).values():
        assert not any("owner-password" in value for value in environment.values())


def test_services_have_roles_and_keys_of_their_own_that_stay(home: Home) -> None:
    first, again = told(home), told(home)
    working = [name for name in first if name != "sandbox"]
    assert len({first[name]["HABEAS_DATABASE_URL"] for name in working}) == 3
    assert {len(base64.b64decode(Path(first[name]["HABEAS_KEY_FILE"]).read_text())) for name in working} == {32}
    assert first == again
    assert "HABEAS_DATABASE_URL" not in first["sandbox"]


def test_those_who_write_and_read_exports_share_a_folder_of_the_stack(home: Home) -> None:
    named = {name: one.get("HABEAS_EXPORTS_URL") for name, one in told(home).items()}
    folder = home.exports.as_uri()
    assert named == {"orchestrator": folder, "connectors": folder, "notifier": None, "sandbox": None}


def test_exports_may_lie_elsewhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_EXPORTS_URL", "s3://bucket/prefix")
    monkeypatch.setenv("HABEAS_EXPORTS_SECRET_KEY", "made-up")
    for name, environment in told(home).items():
        given = {one: value for one, value in environment.items() if one.startswith("HABEAS_EXPORTS_")}
        expected = {"HABEAS_EXPORTS_URL": "s3://bucket/prefix", "HABEAS_EXPORTS_SECRET_KEY": "made-up"}
        assert given == (expected if name in {"orchestrator", "connectors"} else {})


def test_a_namespace_goes_before_the_roles(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_NAMESPACE", "blue")
    assert told(home)["notifier"]["HABEAS_DATABASE_URL"].startswith("postgresql://blue_habeas_notifier:")


def test_the_environment_is_development_unless_somebody_says_otherwise(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HABEAS_ENVIRONMENT", raising=False)
    assert told(home)["orchestrator"]["HABEAS_ENVIRONMENT"] == "development"
    monkeypatch.setenv("HABEAS_ENVIRONMENT", "test")
    assert told(home)["orchestrator"]["HABEAS_ENVIRONMENT"] == "test"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (OWNER_URL, "postgresql://role:a%2Fb%40c@127.0.0.1:5433/habeas?sslmode=disable"),
        ("postgresql://db.example/habeas", "postgresql://role:a%2Fb%40c@db.example/habeas"),
    ],
)
def test_another_role_on_the_same_server(url: str, expected: str) -> None:
    assert with_role(url, "role", "a/b@c") == expected


def test_a_home_keeps_its_ports(home: Home, tmp_path: Path, quiet_ports: range) -> None:
    lease = PortLease(tmp_path / "leases")
    first = home.ports(("one", "two"), lease)
    lease.release()
    more = home.ports(("one", "two", "three"), lease)
    assert {name: more[name] for name in first} == first
    assert len(set(more.values())) == 3
