"""A package is kept when it is whole and what its manifest says, or not at all."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from habeas.client import AsyncHabeas, Habeas, HabeasProblem, PackageBroken, UnreadableAnswer
from tests.unit.habeas.client.conftest import Script, problem

ZIP = {"content-type": "application/zip"}
MEMBERS = {"report.html": b"<p>hello</p>", "crm-eu/contact.json": b"[]\n"}


def packed(kept: dict[str, bytes] = MEMBERS, /, **changes: Any) -> bytes:
    """A package as the server makes it; `changes` are fields of its manifest."""
    listed = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in MEMBERS.items()
    ]
    manifest = {"format": "habeas package", "version": 1, "request": "req_1", "members": listed, **changes}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))
    return out.getvalue()


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose connection is lost in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield packed()[:20]
        raise httpx.RemoteProtocolError("peer closed connection")

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece


def answer(content: bytes) -> httpx.Response:
    return httpx.Response(200, content=content, headers=ZIP)


def test_a_whole_package_is_kept_for_its_owner_alone(habeas: Habeas, script: Script, tmp_path: Path) -> None:
    script.then(answer(packed()))
    told: list[int] = []
    saved = habeas.requests.package("req_1").save(tmp_path / "jane.zip", progress=told.append)
    assert (saved.path, saved.bytes, saved.members) == (tmp_path / "jane.zip", len(packed()), 3)
    assert saved.path.read_bytes() == packed()
    assert saved.path.stat().st_mode & 0o777 == 0o600
    assert told[-1] == len(packed())
    assert saved.manifest["request"] == "req_1"
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", "/v1/requests/req_1/package")
    assert list(tmp_path.iterdir()) == [saved.path]


async def test_it_is_the_same_when_it_is_awaited(async_habeas: AsyncHabeas, script: Script, tmp_path: Path) -> None:
    script.then(answer(packed()), answer(packed()))
    saved = await async_habeas.requests.package("req_1").save(tmp_path / "jane.zip")
    assert saved.path.read_bytes() == packed()
    assert b"".join([piece async for piece in async_habeas.requests.package("req_1")]) == packed()


def test_it_can_be_gone_through_as_it_comes(habeas: Habeas, script: Script) -> None:
    script.then(answer(packed()))
    assert b"".join(habeas.requests.package("req_1")) == packed()


BAD = {
    "cut off": packed()[:-5],
    "no zip": b"hello",
    "a changed member": packed({**MEMBERS, "report.html": b"<p>hullo</p>"}),
    "a member too many": packed({**MEMBERS, "extra.txt": b""}),
    "a member too few": packed({"report.html": MEMBERS["report.html"]}),
    "another request": packed(request="req_2"),
    "a manifest of nothing": packed(members=None),
    "a manifest of something else": packed(members=[1]),
    "nothing": b"",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_what_is_not_whole_leaves_no_file(habeas: Habeas, script: Script, tmp_path: Path, content: bytes) -> None:
    script.then(answer(content))
    with pytest.raises(PackageBroken, match="nothing was kept, fetch it again"):
        habeas.requests.package("req_1").save(tmp_path / "jane.zip")
    assert list(tmp_path.iterdir()) == []


async def test_a_connection_that_breaks_leaves_no_file(
    habeas: Habeas, async_habeas: AsyncHabeas, script: Script, tmp_path: Path
) -> None:
    script.then(httpx.Response(200, stream=Broken(), headers=ZIP), httpx.Response(200, stream=Broken(), headers=ZIP))
    with pytest.raises(PackageBroken, match="broke off after 20 bytes"):
        habeas.requests.package("req_1").save(tmp_path / "jane.zip")
    with pytest.raises(PackageBroken, match="broke off after 20 bytes"):
        await async_habeas.requests.package("req_1").save(tmp_path / "jane.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_alone_unless_it_may_be_replaced(
    habeas: Habeas, script: Script, tmp_path: Path
) -> None:
    path = tmp_path / "jane.zip"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        habeas.requests.package("req_1").save(path)
    assert script.sent == []
    script.then(answer(b"broken"), answer(packed()))
    with pytest.raises(PackageBroken):
        habeas.requests.package("req_1").save(path, overwrite=True)
    assert path.read_bytes() == b"mine"
    habeas.requests.package("req_1").save(path, overwrite=True)
    assert path.read_bytes() == packed()


def test_what_a_killed_fetch_left_is_in_nobodys_way(habeas: Habeas, script: Script, tmp_path: Path) -> None:
    (tmp_path / "jane.zip.part").write_bytes(b"half")
    script.then(answer(packed()))
    habeas.requests.package("req_1").save(tmp_path / "jane.zip")
    assert [one.name for one in tmp_path.iterdir()] == ["jane.zip"]


def test_a_refusal_is_a_problem_and_a_busy_server_is_asked_again(
    habeas: Habeas, script: Script, tmp_path: Path
) -> None:
    script.then(problem(503, "overloaded"), problem(409, "package_not_ready"))
    with pytest.raises(HabeasProblem) as raised:
        habeas.requests.package("req_1").save(tmp_path / "jane.zip")
    assert raised.value.code == "package_not_ready"
    assert len(script.pauses) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_a_proxy_is_no_package(habeas: Habeas, script: Script, tmp_path: Path) -> None:
    script.then(httpx.Response(200, text="<p>sign in</p>", headers={"content-type": "text/html"}))
    with pytest.raises(UnreadableAnswer):
        habeas.requests.package("req_1").save(tmp_path / "jane.zip")
