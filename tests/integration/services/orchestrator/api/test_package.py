"""The package over the real API: who gets it and when, what stands on the timeline, and what is no package at all."""

import asyncio
import base64
import hashlib
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.exports import ExportReceipt, path_of
from contracts.outcomes import Line, Outcome
from contracts.reports import TaskSettled
from habeas.client import AsyncHabeas, PackageBroken, Retries
from habeas.vocabulary import Action, Checked, Disposition, Scope
from services.chassis.exports import ExportWriter
from services.chassis.objects import ObjectStore, StoreAway
from services.chassis.service import HttpServer
from services.orchestrator.api import dependencies
from services.orchestrator.domain.timeline import ORIGIN, chain
from services.orchestrator.handlers.close_packages import ClosePackages
from services.orchestrator.handlers.record_reports import RecordReports
from tests.integration.services.orchestrator.conftest import Api, open_api
from tests.integration.services.orchestrator.desk import entry
from tests.integration.services.orchestrator.hosts import Hosts, incoming

RECORDS = [("contact", {"name": "Jané", "phone": "+31201234567"}), ("notes", {"text": "called <b>twice</b>"})]
BODY = {
    "right": "access",
    "subject": {"identities": [{"type": "email", "value": "jane@example.com"}], "language": "nl"},
    "identity_check": {"method": "client_asserted"},
}
Records = Iterable[tuple[str, Mapping[str, Any]]]


@dataclass
class World:
    """One API, its connector hosts, and somebody with every scope."""

    api: Api
    hosts: Hosts
    caller: httpx.AsyncClient
    store: ObjectStore

    async def enrol(self, *processors: str, action: Action = Action.EXPORT) -> None:
        for processor in processors:
            await self.caller.post("/v1/processors", json={"id": processor, "kind": "kind"})
            await self.hosts.announce(processor, "kind", serves=(action,))

    async def file(self, **changes: Any) -> str:
        answer = await self.caller.post("/v1/requests", json={**BODY, **changes}, headers={"idempotency-key": "k"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def export(self, records: Records = RECORDS, files: Iterable[bytes] = ()) -> dict[str, str]:
        """Let every host that was asked export the same; return where it lies, by processor."""
        await self.hosts.work()
        written = {}
        async for task in self.hosts.sent():
            subject, _ = await self.hosts.opened(task)
            assert subject.export_key is not None
            written[task["processor"]] = path = path_of(task["id"], 2)
            writer = ExportWriter(base64.urlsafe_b64decode(subject.export_key))
            async with self.store.upload(path) as upload:
                for piece in pieces(writer, records, files):
                    await upload.write(piece)
                await upload.commit()
            await self.settle(task, writer.receipt(2), Disposition.EXPORTED)
        await self.hosts.work()
        return written

    async def settle(self, task: dict[str, Any], receipt: ExportReceipt | None, disposition: Disposition) -> None:
        count = 0 if receipt is None else 1
        line = Line(category="contact", disposition=disposition, count=count, checked=Checked.VERIFIED)
        known = {name: task[name] for name in ("request_id", "processor", "dispatch_no")}
        body = TaskSettled(
            livemode=True,
            task_id=task["id"],
            at=self.api.clock.now(),
            outcome=Outcome.of((line,)),
            export=receipt,
            **known,
        )
        async with self.api.deps.database.transaction() as connection:
            await RecordReports(self.api.deps)(connection, [incoming(body, key=task["request_id"])])

    async def fetch(self, request: str, caller: httpx.AsyncClient | None = None) -> httpx.Response:
        return await (caller or self.caller).get(f"/v1/requests/{request}/package")

    async def timeline(self, request: str) -> list[dict[str, Any]]:
        """The entries about the package; the whole chain fits."""
        rows = await self.api.rows("SELECT * FROM timeline WHERE request_id = $1 ORDER BY seq", request)
        assert reduce(chain, [entry(row) for row in rows], ORIGIN) == rows[-1]["hash"]
        return [
            {"type": row["type"], "actor": row["actor"], "event": row["event_id"], **json.loads(row["detail"])}
            for row in rows
            if row["type"].startswith("package.")
        ]


def pieces(writer: ExportWriter, records: Records, files: Iterable[bytes]) -> Iterable[bytes]:
    for category, fields in records:
        yield from writer.record(category, fields)
    for content in files:
        yield from writer.file("files", "image/png")
        yield from writer.data(content)
        yield from writer.file_end()
    yield from writer.end()


@pytest.fixture
async def world(api: Api, caller: httpx.AsyncClient) -> World:
    store = api.deps.settings.open_exports()
    assert store is not None
    return World(api, Hosts(api.deps), caller, store)


async def test_the_package_of_an_answered_access_holds_what_every_processor_exported(world: World) -> None:
    await world.enrol("crm-eu", "files")
    request = await world.file()
    await world.export(files=[b"picture"])
    answer = await world.fetch(request)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{request}.zip"'
    assert answer.headers["cache-control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    for folder in ("crm-eu", "files"):
        assert json.loads(archive.read(f"{folder}/contact.json")) == [RECORDS[0][1]]
        assert '"\'+31201234567"' in archive.read(f"{folder}/contact.csv").decode("utf-8-sig")
        assert archive.read(f"{folder}/files/0001.png") == b"picture"
    report = archive.read("report.html").decode()
    assert '<html lang="nl"' in report
    assert "The kind" in report
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["request"] == request
    for member in manifest["members"]:
        content = archive.read(member["name"])
        assert (member["bytes"], member["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


async def test_each_fetch_stands_on_the_timeline_with_whom_and_whether_all_of_it_went_out(world: World) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export()
    sizes = [len((await world.fetch(request)).content) for _ in range(2)]
    entries = await world.timeline(request)
    (client,) = await world.api.rows("SELECT id FROM clients")
    assert [one["type"] for one in entries] == ["package.fetched", "package.sent"] * 2
    assert {one["actor"] for one in entries} == {client["id"]}
    assert [(one["fetch"], one["bytes"]) for one in entries[1::2]] == [
        (begun["event"], size) for begun, size in zip(entries[::2], sizes, strict=True)
    ]


async def test_before_the_request_is_answered_it_says_when_to_come_again(world: World) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.hosts.work()
    answer = await world.fetch(request)
    assert (answer.status_code, answer.json()["code"]) == (409, "package_not_ready")
    due = (await world.caller.get(f"/v1/requests/{request}")).json()["due_on"]
    assert answer.json()["detail"].endswith(f"come again once it is completed. It is due on {due}.")
    assert await world.timeline(request) == []


async def test_another_client_sees_no_package_and_a_key_without_the_scope_gets_none(world: World) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export()
    for scopes, client, status, code in (
        ((Scope.REQUESTS_PACKAGE,), "somebody else", 404, "not_found"),
        ((Scope.REQUESTS_READ, Scope.REQUESTS_READ_ALL), "tests", 403, "scope_missing"),
    ):
        async with world.api.client(await world.api.key(*scopes, client=client)) as caller:
            answer = await world.fetch(request, caller)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await world.timeline(request) == []
    key = await world.api.key(Scope.REQUESTS_PACKAGE, Scope.REQUESTS_READ_ALL, client="privacy office")
    async with world.api.client(key) as caller:
        assert (await world.fetch(request, caller)).status_code == 200


async def test_an_erasure_and_a_withdrawn_access_have_no_package(world: World) -> None:
    await world.enrol("crm-eu", action=Action.ERASE)
    request = await world.file(right="erasure")
    await world.hosts.settle_all()
    answer = await world.fetch(request)
    assert (answer.status_code, answer.json()["code"]) == (409, "package_not_offered")


async def test_a_withdrawn_access_has_no_package(world: World) -> None:
    request = await world.file()
    assert (await world.caller.post(f"/v1/requests/{request}/cancel")).status_code == 200
    answer = await world.fetch(request)
    assert (answer.status_code, answer.json()["code"]) == (409, "package_not_offered")


async def test_once_its_time_is_over_the_package_is_gone(world: World) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export()
    world.api.clock.advance(timedelta(seconds=world.api.deps.settings.package_lifetime - 1))
    assert (await world.fetch(request)).status_code == 200
    world.api.clock.advance(timedelta(seconds=1))
    gone = await world.fetch(request)
    assert (gone.status_code, gone.json()["code"]) == (410, "package_expired")
    await ClosePackages(world.api.deps).step()
    assert (await world.fetch(request)).json()["code"] == "package_expired"


async def test_with_nothing_exported_the_package_is_the_report(world: World) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.hosts.work()
    async for task in world.hosts.sent():
        await world.settle(task, None, Disposition.NOT_FOUND)
    await world.hosts.work()
    archive = zipfile.ZipFile(io.BytesIO((await world.fetch(request)).content))
    assert archive.namelist() == ["report.html", "manifest.json"]
    assert "Doorzocht, en niets van u gevonden." in archive.read("report.html").decode()


def _delete(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _change(path: Path) -> None:
    stored = bytearray(path.read_bytes())
    stored[60] ^= 1
    path.write_bytes(stored)


@pytest.mark.parametrize("harm", [_delete, _cut, _change])
async def test_a_part_that_is_not_whole_stops_it_before_anything_is_sent(
    world: World, tmp_path: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    await world.enrol("crm-eu", "files")
    request = await world.file()
    written = await world.export()
    harm(tmp_path / "exports" / written["files"])
    answer = await world.fetch(request)
    assert (answer.status_code, answer.json()["code"]) == (500, "package_incomplete")
    assert not answer.json()["retryable"]
    assert await world.timeline(request) == []
    (told,) = [one.__dict__["habeas"] for one in caplog.records if one.msg == "package.incomplete"]
    assert told["processor"] == "files"
    assert told["reason"] in {"object_missing", "object_broken"}
    assert "Jan" not in str([one.__dict__ for one in caplog.records])


async def test_while_the_storage_is_away_it_says_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export()

    def away(store: ObjectStore, path: str) -> AsyncIterator[bytes]:
        raise StoreAway("unreachable")

    monkeypatch.setattr(ObjectStore, "read", away)
    answer = await world.fetch(request)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer.json()["retryable"]
    assert answer.headers["retry-after"]


async def test_to_look_is_not_to_fetch(world: World) -> None:
    request = await world.file()
    assert (await world.caller.head(f"/v1/requests/{request}/package")).status_code == 405


async def test_more_than_can_be_sent_at_once_are_told_to_come_again(
    orchestrator_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "PACKAGES_AT_ONCE", 0)
    api = await open_api(orchestrator_url, tmp_path / "root.key")
    async with api.client(await api.key()) as caller:
        answer = await caller.get("/v1/requests/req_01J00000000000000000000009/package")
    await api.deps.database.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")


@asynccontextmanager
async def listening(api: Api) -> AsyncIterator[str]:
    """The API behind a real socket."""
    server = HttpServer(api.app, host="127.0.0.1", port=0)
    serving = asyncio.create_task(server.run())
    while not server.started:  # noqa: ASYNC110  # it has no event for it
        await asyncio.sleep(0)
    port = server._server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def ended(world: World, request: str) -> dict[str, Any]:
    """How the last fetch ended, once it has."""
    async with asyncio.timeout(60):
        while (await world.timeline(request))[-1]["type"] == "package.fetched":  # noqa: ASYNC110  # a row
            await asyncio.sleep(0)
    return (await world.timeline(request))[-1]


async def test_the_client_keeps_a_whole_package_from_a_real_server(world: World, tmp_path: Path) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export(files=[os.urandom(3_000_000)])
    async with listening(world.api) as url, AsyncHabeas(url, key=await world.api.key()) as habeas:
        saved = await habeas.requests.package(request).save(tmp_path / "jane.zip")
    assert saved.members == 7
    assert (await ended(world, request)) | {"type": "package.sent", "bytes": saved.bytes} == await ended(world, request)


async def test_what_breaks_while_it_is_sent_cuts_the_connection_and_leaves_the_client_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export(files=[os.urandom(3_000_000)])
    whole, reads = ObjectStore.read, []

    async def once(store: ObjectStore, path: str) -> AsyncIterator[bytes]:
        reads.append(path)
        broken = len(reads) == 6  # the inventory, two categories twice, then the file
        async for piece in whole(store, path):
            yield piece[: len(piece) // 2] + bytes(len(piece) - len(piece) // 2) if broken else piece

    monkeypatch.setattr(ObjectStore, "read", once)
    async with listening(world.api) as url, AsyncHabeas(url, key=await world.api.key()) as habeas:
        with pytest.raises(PackageBroken, match="RemoteProtocolError"):
            await habeas.requests.package(request).save(tmp_path / "jane.zip")
    assert not list(tmp_path.glob("jane*"))
    end = await ended(world, request)
    assert (end["type"], end["reason"]) == ("package.broken_off", "object_broken")
    assert end["bytes"] > 0


async def test_a_client_that_goes_away_is_noticed_and_its_place_is_free_again(world: World) -> None:
    await world.enrol("crm-eu")
    request = await world.file()
    await world.export(files=[os.urandom(8_000_000)] * 3)
    async with listening(world.api) as url:
        key = await world.api.key()
        for _ in range(dependencies.PACKAGES_AT_ONCE + 1):
            async with AsyncHabeas(url, key=key, retries=Retries(attempts=1)) as habeas:
                async for _piece in habeas.requests.package(request):
                    break
            end = await ended(world, request)
            assert (end["type"], end["reason"]) == ("package.broken_off", "client_gone")
            assert end["bytes"] < 24_000_000
