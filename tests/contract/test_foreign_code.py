"""What contracts/README.md shows to other languages does what it says, and is told the truth by its tables."""

import base64
import json
import re
from typing import Any

import pytest

from contracts.generate.asyncapi import VERSION
from contracts.topics import ALL, DAY_MS, MESSAGES, Topic
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import unseal
from tests.contract.foreign_pages import CONTRACTS, README, needs_node, node, python_page

SCRIPT = CONTRACTS / "foreign" / "habeas.mjs"


def _vectors(file: str, name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((CONTRACTS / "vectors" / f"{file}.json").read_text(encoding="utf-8"))[name]
    return cases


@needs_node
def test_the_example_for_node_holds_against_every_vector() -> None:
    proofs, opens, refused = _vectors("proof", "proofs"), _vectors("seal", "opens"), _vectors("seal", "refused")
    expected = 2 * len(_vectors("keys", "keys")) + 3 * len(proofs) + 2 * len(opens) + len(refused)
    assert node(str(SCRIPT)) == f"{expected} hold"


@needs_node
def test_a_seal_that_node_made_opens_here() -> None:
    keys = ProcessorKeys.from_secret("crm-eu", 1, bytes(32))
    sealed = node(str(SCRIPT), "seal", keys.sealing.hex(), keys.kid, '{"task":"zoë"}')
    assert unseal(keys, sealed) == '{"task":"zoë"}'.encode()


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What the Python of the README defines."""
    return python_page()


def test_the_python_of_the_readme_derives_keys(shown: dict[str, Any]) -> None:
    for one in _vectors("keys", "keys"):
        secret = ProcessorKeys.from_secret(one["processor"], one["version"], bytes(32))
        assert shown["key_for"](bytes(32), "seal", one["kid"]) == secret.sealing
        assert shown["key_for"](bytes(32), "proof", one["kid"]) == secret.proving


def test_the_python_of_the_readme_checks_proofs(shown: dict[str, Any]) -> None:
    for one in _vectors("proof", "proofs"):
        message = {"topic": one["topic"], "key": one["record_key"], "headers": one["headers"]}
        body, key = base64.b64decode(one["body_base64"]), bytes.fromhex(one["key_hex"])
        assert shown["holds"](key, one["kid"], one["proof"], body=body, **message)
        assert not shown["holds"](key, one["kid"], one["proof"], body=body + b" ", **message)


def test_the_python_of_the_readme_opens_seals(shown: dict[str, Any]) -> None:
    for one in _vectors("seal", "opens"):
        assert shown["unseal"](bytes.fromhex(one["key_hex"]), one["jwe"]) == json.loads(one["plaintext"])


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_the_readme_tells_each_topic_as_it_is(topic: Topic) -> None:
    kept = "compacted" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} days"
    name = topic.name.replace("{processor}", "<processor>")
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}`"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == topic.key
    assert cells[2].startswith(f"{topic.sender}, ")
    assert cells[3] == kept


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(r"`((?:generated|examples|vectors|foreign|released|tests|contracts)/[\w./-]*)`", README)
    assert named
    root = CONTRACTS.parent
    assert [name for name in named if not ((CONTRACTS / name).exists() or (root / name).exists())] == []


def test_the_changelog_tells_the_version_of_the_documents() -> None:
    first = re.search(r"^## (\S+)", (CONTRACTS / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == VERSION


def test_types_in_the_readme_exist() -> None:
    assert set(re.findall(r"dev\.habeas\.[\w.]+", README)) <= MESSAGES.keys()
