"""`habeas processors`: the table, and a secret that is kept well."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.habeas.cli.conftest import FakeServer, Habeas, page

ENROLMENT: dict[str, Any] = {
    "processor": "crm-eu",
    "kind": "hubspot",
    "enrolment": "enr_1",
    "version": 1,
    "secret": "c2VjcmV0",
}
PROCESSOR = {
    "id": "crm-eu",
    "kind": "hubspot",
    "state": "announced",
    "country": "NL",
    "manifest_version": 1,
    "pending_manifest_version": 2,
    "actions": ["resolve", "erase"],
    "accepts": ["email"],
    "resolves": ["customer_id"],
    "open_tasks": 3,
    "announced_at": "2026-01-31T10:00:00Z",
    "secret_version": 2,
    "announced_versions": [1],
}


def test_list(habeas: Habeas, server: FakeServer) -> None:
    server.answers["GET /v1/processors"] = page(PROCESSOR)
    head, row = habeas("processors", "list").out.splitlines()
    assert head.split()[:5] == ["PROCESSOR", "KIND", "MODE", "STATE", "COUNTRY"]
    assert row.split()[:5] == ["crm-eu", "hubspot", "live", "announced", "NL"]
    assert "1 (2 waits for approval)" in row
    assert "1 (2 is not announced)" in row
    assert "resolve, erase" in row
    assert habeas("processors", "list", "--json").json[0]["open_tasks"] == 3


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_enrol_writes_the_key_for_its_owner_only(
    habeas: Habeas, server: FakeServer, tmp_path: Path, form: tuple[str, ...]
) -> None:
    server.answers["POST /v1/processors"] = ENROLMENT
    ran = habeas("processors", "enrol", "crm-eu", "--kind", "hubspot", "--folder", str(tmp_path), *form)
    key = tmp_path / "crm-eu" / "enrolment.key"
    assert ran.code == 0
    assert json.loads(key.read_text()) == ENROLMENT
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == ["enrolment.key"]
    assert str(key) in ran.out
    assert ENROLMENT["secret"] not in ran.out
    assert server.body == {"id": "crm-eu", "kind": "hubspot"}


def test_a_move_to_another_country_is_seen_in_the_list(habeas: Habeas, server: FakeServer) -> None:
    moved = {"country": "US", "moved_from": "NL", "moved_at": "2026-01-31T10:00:00Z"}
    server.answers["GET /v1/processors"] = page({**PROCESSOR, **moved})
    assert "US (NL until 2026-01-31" in habeas("processors", "list").out


def test_a_processor_for_rehearsals_is_enrolled_and_listed_as_one(
    habeas: Habeas, server: FakeServer, tmp_path: Path
) -> None:
    server.answers["POST /v1/processors"] = {**ENROLMENT, "livemode": False}
    ran = habeas("processors", "enrol", "crm-eu", "--kind", "hubspot", "--test", "--folder", str(tmp_path))
    assert server.body == {"id": "crm-eu", "kind": "hubspot", "livemode": False}
    assert "for rehearsals" in ran.out
    server.answers["GET /v1/processors"] = page({**PROCESSOR, "livemode": False})
    assert habeas("processors", "list").out.splitlines()[1].split()[2] == "test"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_rotate_writes_the_next_key_beside_the_others(
    habeas: Habeas, server: FakeServer, tmp_path: Path, form: tuple[str, ...]
) -> None:
    (tmp_path / "crm-eu").mkdir()
    (tmp_path / "crm-eu" / "enrolment.key").write_text("first")
    server.answers["POST /v1/processors/crm-eu/rotate"] = {**ENROLMENT, "version": 2}
    command = ("processors", "rotate", "crm-eu", "--folder", str(tmp_path), *form)
    assert habeas(*command).code == 0
    ran = habeas(*command)  # the server gives the same again until the host has announced it
    assert ran.code == 0
    key = tmp_path / "crm-eu" / "enrolment.2.key"
    assert json.loads(key.read_text())["version"] == 2
    assert key.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in key.parent.iterdir()) == ["enrolment.2.key", "enrolment.key"]
    assert (key.parent / "enrolment.key").read_text() == "first"
    assert str(key) in ran.out
    assert ENROLMENT["secret"] not in ran.out


def test_rotate_says_what_comes_next(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/processors/crm-eu/rotate"] = {**ENROLMENT, "version": 2}
    assert "habeas processors revoke crm-eu --below 2" in habeas("processors", "rotate", "crm-eu").out


@pytest.mark.parametrize(
    ("announced", "said"), [([1, 2], "can be deleted"), ([1], "sent nothing new until it does"), ([], "nothing new")]
)
def test_revoke_says_what_it_means(habeas: Habeas, server: FakeServer, announced: list[int], said: str) -> None:
    shown = {**PROCESSOR, "min_secret_version": 2, "announced_versions": announced}
    server.answers["POST /v1/processors/crm-eu/revoke"] = shown
    ran = habeas("processors", "revoke", "crm-eu", "--below", "2")
    assert server.body == {"below": 2}
    assert "from 2 on" in ran.out
    assert said in ran.out


def test_enrol_without_a_folder(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/processors"] = ENROLMENT
    assert habeas("processors", "enrol", "crm-eu", "--kind", "hubspot").code == 0
    assert Path("processors/crm-eu/enrolment.key").exists()


@pytest.mark.parametrize("name", ["enrolment.key", "enrolment.2.key"])
def test_enrol_never_mixes_with_the_keys_that_are_there(
    habeas: Habeas, server: FakeServer, tmp_path: Path, name: str
) -> None:
    (tmp_path / "crm-eu").mkdir()
    (tmp_path / "crm-eu" / name).write_text("old")
    ran = habeas("processors", "enrol", "crm-eu", "--kind", "hubspot", "--folder", str(tmp_path))
    assert ran.code == 1
    assert "move it away" in ran.err
    assert server.sent == []


@pytest.mark.parametrize("folder", ["taken", "taken/below"])
def test_enrol_asks_for_nothing_that_it_can_not_keep(
    habeas: Habeas, server: FakeServer, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    ran = habeas("processors", "enrol", "crm-eu", "--kind", "hubspot", "--folder", str(tmp_path / folder))
    assert ran.code == 1
    assert "cannot make" in ran.err
    assert server.sent == []


def test_enrol_stays_in_its_folder(habeas: Habeas, server: FakeServer) -> None:
    assert habeas("processors", "enrol", "../crm", "--kind", "hubspot").code == 1
    assert server.sent == []


def test_retire_and_approve(habeas: Habeas, server: FakeServer) -> None:
    server.answers["POST /v1/processors/crm-eu/retire"] = {**PROCESSOR, "state": "retired"}
    server.answers["POST /v1/processors/crm-eu/approve"] = {**PROCESSOR, "manifest_version": 2}
    assert habeas("processors", "retire", "crm-eu", "--reason", "contract ended").out == "crm-eu is retired.\n"
    assert server.body == {"reason": "contract ended"}
    server.answers["GET /v1/processors"] = page({**PROCESSOR, "pending_manifest_version": None})
    assert habeas("processors", "approve", "crm-eu").out == "crm-eu now has manifest version 2.\n"
