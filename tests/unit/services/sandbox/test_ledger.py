"""The ledger's numbering and its files."""

import json
from pathlib import Path

from services.sandbox.ledger import Entry, Ledger


def test_numbers_go_on_over_entries_batches_and_restarts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "s3")
    ledger.append(Entry("object.put", "a"))
    ledger.extend([Entry("object.delete", "b", "c-1", "key"), Entry("object.delete", "c", changed=False)])
    ledger.close()
    again = Ledger(tmp_path, "s3")
    again.append(Entry("object.put", "d"))
    lines = again.read()
    again.close()
    assert [one["seq"] for one in lines] == [1, 2, 3, 4]
    expected = {
        "vendor": "s3",
        "effect": "object.delete",
        "target": "b",
        "person": "c-1",
        "key": "key",
        "changed": True,
    }
    assert {name: lines[1][name] for name in expected} == expected
    assert lines[2]["changed"] is False


def test_a_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "hubspot")
    ledger.append(Entry("contact.update", "1"))
    assert json.loads((tmp_path / "hubspot.jsonl").read_text())["target"] == "1"
    ledger.close()


def test_starting_afresh_keeps_every_old_file(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "smtp")
    for name in ("one", "two"):
        ledger.append(Entry("message.accepted", name))
        ledger.start_afresh()
    ledger.start_afresh()
    assert ledger.read() == []
    kept = sorted(tmp_path.glob("smtp.*.jsonl"))
    assert [json.loads(path.read_text())["target"] for path in kept] == ["one", "two"]
    ledger.close()
