"""A folder is read while somebody writes into it: what is half there is not taken for a secret."""

import base64
import json
from pathlib import Path

import pytest

from contracts import ids
from habeas.local.places import write_private
from services.connectors.host.enrolment import BrokenEnrolment, read, signature


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An enrolled processor with one secret."""
    key = {
        "processor": "crm",
        "kind": "records",
        "enrolment": ids.new("enr"),
        "version": 1,
        "secret": base64.b64encode(bytes(32)).decode(),
    }
    write_private(tmp_path / "crm" / "enrolment.key", json.dumps(key))
    write_private(tmp_path / "crm" / "secrets" / "token", "first\n")
    return tmp_path / "crm"


def test_secrets_are_told_without_the_end_of_their_line(folder: Path) -> None:
    assert read(folder).settings == {"token": "first"}


def test_a_file_that_is_still_being_written_beside_its_place_is_no_secret(folder: Path) -> None:
    before = signature(folder)
    write_private(folder / "secrets" / ".token.1f2e3d4c", "sec")
    assert read(folder).settings == {"token": "first"}
    assert signature(folder) == before


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_secret_that_is_emptied_before_it_is_written_anew_is_waited_for(folder: Path, content: str) -> None:
    write_private(folder / "secrets" / "token", content)
    with pytest.raises(BrokenEnrolment, match="token is empty: write the secret into it"):
        read(folder)
