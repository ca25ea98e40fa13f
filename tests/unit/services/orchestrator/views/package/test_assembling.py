"""A package holds what was exported, whole and digested; an export that is not whole stops it."""

import csv
import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.exports import path_of
from habeas.vocabulary import Language
from services.orchestrator.views.package.assembling import assemble, inventories
from services.orchestrator.views.package.contents import Package
from services.orchestrator.views.package.members import document
from services.orchestrator.views.package.sources import PackageIncomplete
from tests.unit.services.orchestrator.views.package.shelf import NOW, Record, Shelf, package

CONTACTS: list[Record] = [
    ("contact", {"name": "Jané", "home": {"city": "Leiden"}}),
    ("contact", {"name": "=cmd", "age": 41}),
]


async def fetched(shelf: Shelf, one: Package) -> bytes:
    found = await inventories(shelf, one)
    return b"".join([piece async for piece in assemble(shelf, one, found)])


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


async def test_a_package_holds_each_category_twice_and_each_file_once() -> None:
    shelf = Shelf()
    picture = bytes(range(256)) * 1000
    crm = shelf.put("crm-eu", [*CONTACTS, ("notes", {"text": "hello"})])
    files = shelf.put("files", files=[("files", "image/png", picture), ("files", "odd/type", b"")])
    archive = opened(await fetched(shelf, package([crm, files])))
    assert archive.namelist() == [
        "report.html",
        "crm-eu/contact.json",
        "crm-eu/contact.csv",
        "crm-eu/notes.json",
        "crm-eu/notes.csv",
        "files/files/0001.png",
        "files/files/0002.bin",
        "manifest.json",
    ]
    assert json.loads(archive.read("crm-eu/contact.json")) == [fields for _, fields in CONTACTS]
    rows = list(csv.reader(io.StringIO(archive.read("crm-eu/contact.csv").decode("utf-8-sig"), newline="")))
    assert rows == [["name", "home.city", "age"], ["Jané", "Leiden", ""], ["'=cmd", "", "41"]]
    assert archive.read("files/files/0001.png") == picture
    assert archive.read("files/files/0002.bin") == b""
    assert {info.external_attr >> 16 & 0o777 for info in archive.infolist()} == {0o600}


async def test_the_manifest_counts_and_digests_every_member() -> None:
    shelf = Shelf()
    crm = shelf.put("crm-eu", CONTACTS, [("contact", "application/pdf", b"%PDF")])
    archive = opened(await fetched(shelf, package([crm])))
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["format"], manifest["version"]) == ("habeas package", 1)
    assert manifest["request"] == "req_01J00000000000000000000009"
    assert manifest["created_at"] == NOW.isoformat()
    assert manifest["processors"] == [
        {
            "id": "crm-eu",
            "task": "tsk_crm-eu",
            "folder": "crm-eu",
            "categories": [
                {
                    "name": "contact",
                    "records": 2,
                    "files": 1,
                    "json": "crm-eu/contact.json",
                    "csv": "crm-eu/contact.csv",
                }
            ],
            "files": [{"name": "crm-eu/files/0001.pdf", "category": "contact", "media_type": "application/pdf"}],
        }
    ]
    weighed = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name in archive.namelist()
        if name != "manifest.json" and (content := archive.read(name)) is not None
    ]
    assert manifest["members"] == weighed


async def test_with_nothing_exported_the_answer_is_the_report() -> None:
    shelf = Shelf()
    archive = opened(await fetched(shelf, package([], language=Language.DUTCH)))
    assert archive.namelist() == ["report.html", "manifest.json"]
    assert b'<html lang="nl"' in archive.read("report.html")
    assert shelf.reads == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=8),
            st.recursive(
                st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=10)),
                lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner)),
                max_leaves=5,
            ),
            max_size=4,
        ),
        min_size=1,
        max_size=5,
    )
)
async def test_records_come_back_from_json_as_they_were_exported(many: list[dict[str, Any]]) -> None:
    shelf = Shelf()
    many = json.loads(json.dumps(many).replace("Infinity", "1e308"))
    source = shelf.put("crm-eu", [("contact", fields) for fields in many])
    archive = opened(await fetched(shelf, package([source])))
    assert json.loads(archive.read("crm-eu/contact.json")) == many


def test_what_json_has_no_word_for_is_written_as_text_and_half_a_pair_as_an_escape() -> None:
    assert json.loads(document({"a": [float("nan"), float("-inf")]})) == {"a": ["nan", "-inf"]}
    assert json.loads(document({"a": "\ud800"})) == {"a": "\ud800"}


@pytest.mark.parametrize("place", [0, 20, 60, -1])
async def test_a_changed_export_is_noticed_before_anything_is_sent(place: int) -> None:
    shelf = Shelf()
    source = shelf.put("crm-eu", CONTACTS)
    shelf.change(source, place)
    with pytest.raises(PackageIncomplete) as raised:
        await inventories(shelf, package([source]))
    assert (raised.value.reason, raised.value.task) == ("object_broken", "tsk_crm-eu")


async def test_an_export_that_is_cut_off_or_gone_is_noticed() -> None:
    shelf = Shelf()
    source = shelf.put("crm-eu", CONTACTS)
    path = path_of(source.task, 1)
    shelf.objects[path] = shelf.objects[path][:-1]
    with pytest.raises(PackageIncomplete) as raised:
        await inventories(shelf, package([source]))
    assert raised.value.reason == "object_broken"
    del shelf.objects[path]
    with pytest.raises(PackageIncomplete) as raised:
        await inventories(shelf, package([source]))
    assert raised.value.reason == "object_missing"


async def test_a_whole_export_that_is_not_the_reported_one_is_noticed() -> None:
    shelf = Shelf()
    reported = shelf.put("crm-eu", CONTACTS)
    shelf.put("crm-eu", CONTACTS[:1])
    with pytest.raises(PackageIncomplete):
        await inventories(shelf, package([reported]))


@pytest.mark.parametrize("files", [False, True])
async def test_an_export_that_changes_meanwhile_stops_the_package_before_its_end(files: bool) -> None:
    shelf = Shelf()
    attached = [("files", "image/png", b"1")] if files else []
    source = shelf.put("crm-eu", CONTACTS, attached)
    one = package([source])
    found = await inventories(shelf, one)
    shelf.put("crm-eu", CONTACTS if files else CONTACTS[:1])
    sent = bytearray()

    async def send() -> None:
        async for piece in assemble(shelf, one, found):
            sent.extend(piece)

    with pytest.raises(PackageIncomplete) as raised:
        await send()
    assert raised.value.reason == "object_changed"
    assert not zipfile.is_zipfile(io.BytesIO(sent))
