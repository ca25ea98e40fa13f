"""`habeas requests package`: where the file goes, what is said, and what a mistake looks like."""

from pathlib import Path

import httpx
import pytest

from tests.unit.habeas.cli.conftest import FakeServer, Habeas
from tests.unit.habeas.client.test_packages import ZIP, packed

PATH = "GET /v1/requests/req_1/package"


@pytest.fixture
def ready(server: FakeServer) -> FakeServer:
    server.answers[PATH] = lambda: httpx.Response(200, content=packed(), headers=ZIP)
    return server


def test_it_lands_in_this_folder_under_the_requests_id(ready: FakeServer, habeas: Habeas) -> None:
    ran = habeas("requests", "package", "req_1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"req_1.zip: {len(packed()):,} bytes, 3 files.")
    assert Path("req_1.zip").read_bytes() == packed()
    assert Path("req_1.zip").stat().st_mode & 0o777 == 0o600


def test_json_says_where_it_is(ready: FakeServer, habeas: Habeas) -> None:
    ran = habeas("requests", "package", "req_1", "--output", "jane.zip", "--json")
    assert ran.json == {"request": "req_1", "file": "jane.zip", "bytes": len(packed()), "members": 3}
    assert Path("jane.zip").exists()


def test_a_file_that_is_there_is_not_replaced_unless_forced(ready: FakeServer, habeas: Habeas) -> None:
    Path("req_1.zip").write_bytes(b"mine")
    ran = habeas("requests", "package", "req_1")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "habeas: req_1.zip is there already: name another file with --output, or say --force\n"
    assert Path("req_1.zip").read_bytes() == b"mine"
    assert habeas("requests", "package", "req_1", "--force").code == 0
    assert Path("req_1.zip").read_bytes() == packed()


def test_a_broken_transfer_is_one_line_and_leaves_nothing(server: FakeServer, habeas: Habeas) -> None:
    server.answers[PATH] = lambda: httpx.Response(200, content=packed()[:-9], headers=ZIP)
    ran = habeas("requests", "package", "req_1")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "habeas: what came is no whole ZIP: nothing was kept, fetch it again\n"
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("wrong", ["../up", "req 1", ""])
def test_what_is_no_id_names_no_file(server: FakeServer, habeas: Habeas, wrong: str) -> None:
    ran = habeas("requests", "package", wrong)
    assert ran.code == 1
    assert "no id of a request" in ran.err
    assert server.sent == []


def test_a_folder_that_is_not_there_is_told_in_one_line(ready: FakeServer, habeas: Habeas) -> None:
    ran = habeas("requests", "package", "req_1", "-o", "nowhere/jane.zip")
    assert ran.code == 1
    assert ran.err == "habeas: nowhere/jane.zip cannot be written: No such file or directory\n"


def test_a_refusal_is_told_as_every_other_one(server: FakeServer, habeas: Habeas) -> None:
    ran = habeas("requests", "package", "req_1")
    assert ran.err == "habeas: there is no such thing (not_found) [request id rid-7]\n"
