"""What is generated is what the models say now, and its documents hang together."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.generate.__main__ import main
from contracts.generate.asyncapi import APPLICATIONS, document
from contracts.generate.files import FOLDER, drift, generated, release, write
from contracts.topics import ALL, REPORTS, TASKS

DOCUMENTS = {application.name: document(application) for application in APPLICATIONS}


def test_the_files_on_disk_are_current() -> None:
    assert drift() == [], "run `make contracts` and commit what changed"


def test_drift_is_noticed(tmp_path: Path) -> None:
    write(tmp_path)
    assert drift(tmp_path) == []
    stale = tmp_path / "schemas" / "task.closed.v1.json"
    stale.write_text(stale.read_text(encoding="utf-8").replace('"livemode"', '"live"'), encoding="utf-8")
    (tmp_path / "schemas" / "task.settled.v1.json").unlink()
    (tmp_path / "schemas" / "task.imagined.v1.json").write_text("{}", encoding="utf-8")
    found = drift(tmp_path)
    assert [line.splitlines()[0] for line in found] == [
        "schemas/task.imagined.v1.json: is not generated any more",
        "schemas/task.closed.v1.json: is stale",
        "schemas/task.settled.v1.json: is missing",
    ]
    assert '-    "live"' in found[1]
    write(tmp_path)
    assert drift(tmp_path) == []


def test_the_check_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("contracts.generate.__main__.drift", lambda: ["schemas/x.json: is stale"])
    assert main(["--check"]) == 1
    assert "make contracts" in capsys.readouterr().err


def test_the_check_passes_without_drift() -> None:
    assert main(["--check"]) == 0


def test_a_release_freezes_schemas_alone(tmp_path: Path) -> None:
    release(tmp_path)
    frozen = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")}
    assert frozen == {name for name in generated() if name.startswith("schemas/")}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _resolve(whole: Any, reference: str) -> Any:
    node = whole
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    for reference in _references(DOCUMENTS[name]):
        assert isinstance(_resolve(DOCUMENTS[name], reference), dict), reference


@pytest.mark.parametrize("name", DOCUMENTS)
def test_operations_name_messages_of_their_channel(name: str) -> None:
    for operation in DOCUMENTS[name]["operations"].values():
        prefix = f"{operation['channel']['$ref']}/messages/"
        assert operation["messages"]
        assert all(message["$ref"].startswith(prefix) for message in operation["messages"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_channel_parameters_are_those_of_the_address(name: str) -> None:
    for channel in DOCUMENTS[name]["channels"].values():
        declared = set(channel.get("parameters", {}))
        assert declared == ({"processor"} if "{processor}" in channel["address"] else set())


def test_a_connector_receives_tasks_and_sends_reports() -> None:
    operations = DOCUMENTS["connector"]["operations"]
    assert {name: operation["action"] for name, operation in operations.items()} == {
        "receiveTasks": "receive",
        "sendReports": "send",
        "sendProcessors": "send",
    }
    channels = DOCUMENTS["connector"]["channels"]
    assert channels["tasks"]["address"] == TASKS.name
    assert channels["reports"]["bindings"]["kafka"] == {
        "partitions": REPORTS.partitions,
        "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": REPORTS.retention_ms},
        "bindingVersion": "0.5.0",
    }


def test_every_topic_is_sent_by_one_application_and_received_by_another() -> None:
    for topic in ALL:
        ends = [
            operation["action"]
            for whole in DOCUMENTS.values()
            for operation in whole["operations"].values()
            if whole["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"] == topic.name
        ]
        assert ends.count("send") == 1, topic.name
        assert "receive" in ends, topic.name


def test_a_listener_gets_no_seals() -> None:
    assert not [name for name in DOCUMENTS["listener"]["components"]["schemas"] if name.startswith("Sealed")]


def test_generated_files_are_json() -> None:
    for path in FOLDER.rglob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))
