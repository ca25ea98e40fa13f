"""The control API: people, digests, ledgers, knobs, start and stop."""

import json
import socket
from pathlib import Path

import httpx
import pytest

from tests.integration.services.sandbox.conftest import CONTACTS, Running
from tests.plain import HTTP


def test_it_stops_on_a_signal_and_frees_its_ports(tmp_path: Path) -> None:
    running = Running(tmp_path)
    assert HTTP.get(f"{running.url}/healthz/ready").status_code == 200
    assert running.stop() == 0
    for port in running.ports.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)


def test_a_hanging_call_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.turn("hubspot", hang=1)
    with pytest.raises(httpx.ReadTimeout):
        running.hubspot.get(CONTACTS, timeout=0.2)
    with socket.create_connection(("127.0.0.1", running.ports["s3_port"])):
        running.turn("s3", hang=1)
        assert running.stop() == 0


def test_the_ledger_goes_on_after_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        running = Running(tmp_path)
        running.contact(email="a@example.com")
        assert [one["seq"] for one in running.effects("hubspot")][-1] == expected
        running.stop()


def test_the_same_seed_gives_the_same_people(sandbox: Running) -> None:
    first = sandbox.people(25, seed=5)
    sandbox.control.post("/reset")
    again = sandbox.people(25, seed=5)
    assert [one["email"] for one in again] == [one["email"] for one in first]
    assert all(one["email"].split("@")[1] in ("example.com", "example.org", "example.net") for one in first)
    assert sandbox.control.post("/people", json={"count": 1, "seed": 5}).status_code == 409


def test_a_thousand_people_are_a_thousand_different_ones(sandbox: Running) -> None:
    people = sandbox.people(1_000, seed=9)
    assert len({one["email"] for one in people}) == len({one["customer_id"] for one in people}) == 1_000


def test_people_are_of_many_kinds(sandbox: Running) -> None:
    people = sandbox.people()
    assert any(not one["contact_ids"] for one in people)
    assert any(not one["objects"] for one in people)
    assert any(len(one["contact_ids"]) == 2 for one in people)
    for one in people:
        left = sandbox.remains(one["customer_id"])
        assert (left["hubspot"] > 0) == bool(one["contact_ids"])
        assert (left["s3"] > 0) == bool(one["objects"])


def test_the_digest_notices_a_change_to_anybody_else(sandbox: Running) -> None:
    one, two = sandbox.people(3)[1:]
    before = sandbox.digest(one["customer_id"])
    sandbox.hubspot.patch(f"{CONTACTS}/{one['contact_ids'][0]}", json={"properties": {"city": "Delft"}})
    assert sandbox.digest(one["customer_id"]) == before
    sandbox.hubspot.patch(f"{CONTACTS}/{two['contact_ids'][0]}", json={"properties": {"city": "Delft"}})
    assert sandbox.digest(one["customer_id"]) != before


def test_the_digest_notices_strangers_too(sandbox: Running) -> None:
    before = sandbox.digest()
    sandbox.contact(email="stranger@example.com")
    assert sandbox.digest() != before


def test_unknown_knobs_vendors_and_people_are_told(sandbox: Running) -> None:
    assert sandbox.control.put("/knobs/hubspot", json={"nope": 1}).status_code == 422
    assert sandbox.control.put("/knobs/hubspot", json={"hang": 2}).status_code == 422
    assert sandbox.control.put("/knobs/other", json={}).status_code == 404
    assert sandbox.control.get("/ledger/other").status_code == 404
    assert sandbox.control.get("/people/c-0/remains").status_code == 404


def test_knobs_can_be_read_and_turned_back(sandbox: Running) -> None:
    sandbox.turn("s3", latency=0.01)
    assert sandbox.control.get("/knobs/s3").json()["latency"] == 0.01
    sandbox.control.delete("/knobs")
    assert {one["latency"] for one in sandbox.control.get("/knobs").json().values()} == {0}
    assert sandbox.control.get("/knobs/hubspot").json()["search_lag"] == 0.5


def test_faults_that_happened_are_told(sandbox: Running) -> None:
    before = sandbox.control.get("/knobs/hubspot").json()["happened"].get("fail_5xx", 0)
    sandbox.turn("hubspot", fail_5xx=1, times=1)
    sandbox.hubspot.get(CONTACTS)
    sandbox.control.delete("/knobs")
    assert sandbox.control.get("/knobs/hubspot").json()["happened"]["fail_5xx"] == before + 1


def test_a_reset_sets_the_ledger_aside_and_loses_nothing(sandbox: Running) -> None:
    sandbox.contact(email="a@example.com")
    sandbox.control.post("/reset")
    assert sandbox.control.get("/ledger/hubspot").json() == {"effects": []}
    kept = [path.read_text() for path in (sandbox.folder / "ledger").glob("hubspot.*.jsonl")]
    assert any(json.loads(text.splitlines()[0])["effect"] == "contact.create" for text in kept)
    assert sandbox.control.get("/people").json() == {"people": []}
