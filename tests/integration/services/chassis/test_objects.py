"""Objects come and go whole, in a folder and in a bucket that is spoken to over HTTP."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from services.chassis.object_settings import S3Options, StoreMisconfigured, open_store
from services.chassis.objects import (
    PART,
    ObjectMissing,
    ObjectStore,
    ObjectTooLarge,
    StoreAway,
)
from tests.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "exports-of-tests"
KEYS = {"access_key": SecretStr("tester"), "secret_key": SecretStr("made-up")}
FOLDER = "exports/tsk_1/"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(endpoint: str) -> "S3Client":
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="tester",
        aws_secret_access_key="made-up",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def bucket(endpoint: str, name: str = BUCKET) -> ObjectStore:
    options = S3Options(endpoint=endpoint, region="eu-west-1", path_style=True, allow_http=True, **KEYS)
    return open_store(f"s3://{name}/below/here", options)


class Place:
    """A store, and what lies in it as its owner sees it: objects, then half-written ones."""

    def __init__(self, store: ObjectStore, look: Callable[[], tuple[set[str], set[str]]]) -> None:
        self.store = store
        self.look = look

    @property
    def objects(self) -> set[str]:
        return self.look()[0]

    async def empty(self) -> bool:
        """Whether nothing is left, after a while: an aborted part may still be on its way."""

        async def nothing() -> bool:
            return not any(self.look())

        await until(nothing)
        return True


@pytest.fixture(params=["folder", "bucket"])
async def place(request: pytest.FixtureRequest, tmp_path: Path, endpoint: str, s3: "S3Client") -> AsyncIterator[Place]:
    if request.param == "folder":
        root = tmp_path / "a folder"

        def files() -> tuple[set[str], set[str]]:
            names = {str(one.relative_to(root)) for one in root.rglob("*") if one.is_file()}
            half = {name for name in names if "#" in name}
            return names - half, half

        yield Place(open_store(root.as_uri()), files)
        return

    def keys() -> tuple[set[str], set[str]]:
        objects = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        whole = {one["Key"].removeprefix("below/here/") for one in objects}
        return whole, {one["Key"] for one in uploads}

    made = Place(bucket(endpoint), keys)
    yield made
    await made.store.delete_folder("exports")
    assert await made.empty()


async def put(store: ObjectStore, path: str, *chunks: bytes) -> None:
    async with store.upload(path) as upload:
        for chunk in chunks:
            await upload.write(chunk)
        await upload.commit()


async def got(store: ObjectStore, path: str) -> bytes:
    return b"".join([piece async for piece in store.read(path)])


@pytest.mark.parametrize("size", [0, 1, PART, 2 * PART + 7, 5 * PART])
async def test_what_is_written_is_read(place: Place, size: int) -> None:
    data = os.urandom(size)
    step = 300_000
    await put(place.store, FOLDER + "1", *(data[at : at + step] for at in range(0, size, step)))
    assert await got(place.store, FOLDER + "1") == data
    assert place.objects == {FOLDER + "1"}


@pytest.mark.parametrize("size", [1, 3 * PART])
async def test_what_is_not_committed_was_never_there(place: Place, size: int) -> None:
    with suppress(RuntimeError):
        async with place.store.upload(FOLDER + "1") as upload:
            await upload.write(os.urandom(size))
            raise RuntimeError
    assert await place.empty()


@pytest.mark.parametrize("size", [1, 3 * PART])
async def test_a_cancel_leaves_nothing(place: Place, size: int) -> None:
    writing = asyncio.Event()

    async def write() -> None:
        async with place.store.upload(FOLDER + "1") as upload:
            while True:
                writing.set()
                await upload.write(os.urandom(size))

    task = asyncio.create_task(write())
    await writing.wait()
    for _ in range(3 if size > 1 else 1):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await place.empty()


async def test_a_cancel_in_mid_commit_leaves_nothing(place: Place) -> None:
    committing = asyncio.Event()

    async def write() -> None:
        async with place.store.upload(FOLDER + "1") as upload:
            await upload.write(os.urandom(3 * PART))
            committing.set()
            await upload.commit()

    task = asyncio.create_task(write())
    await committing.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await place.empty()


async def test_objects_of_a_folder(place: Place) -> None:
    for path in (FOLDER + "1", FOLDER + "2", "exports/tsk_11/1", "exports/tsk_2/1"):
        await put(place.store, path, b"data")
    assert await place.store.list(FOLDER) == [FOLDER + "1", FOLDER + "2"]
    await place.store.delete_folder(FOLDER, keep=FOLDER + "2")
    assert await place.store.list("exports") == [FOLDER + "2", "exports/tsk_11/1", "exports/tsk_2/1"]
    await place.store.delete_folder(FOLDER)
    assert place.objects == {"exports/tsk_11/1", "exports/tsk_2/1"}
    await place.store.delete_folder(FOLDER)
    await place.store.delete_folder(FOLDER, keep=FOLDER + "2")
    await place.store.delete("exports/tsk_2/1")
    await place.store.delete("exports/tsk_2/1")
    assert place.objects == {"exports/tsk_11/1"}


async def test_more_objects_than_one_call_deletes(place: Place) -> None:
    for start in range(0, 1_010, 101):
        await asyncio.gather(*(put(place.store, f"{FOLDER}{n}", b"x") for n in range(start, start + 101)))
    assert len(await place.store.list(FOLDER)) == 1_010
    await place.store.delete_folder(FOLDER)
    assert await place.empty()


async def test_a_missing_object_is_missing(place: Place) -> None:
    with pytest.raises(ObjectMissing):
        await got(place.store, FOLDER + "1")
    assert await place.store.list(FOLDER) == []
    await place.store.ping()


async def test_an_object_has_a_largest_size(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.objects.LARGEST", 10)
    with pytest.raises(ObjectTooLarge):
        await put(place.store, FOLDER + "1", b"x" * 10, b"x")
    assert await place.empty()


async def test_what_a_dead_writer_left_goes_with_the_folder(tmp_path: Path) -> None:
    left = tmp_path / FOLDER / "0000000001.habeas#1"
    store = open_store(tmp_path.as_uri())
    await put(store, FOLDER + "2", b"whole")
    left.touch()
    assert await store.list(FOLDER) == [FOLDER + "2"]
    await store.delete_folder(FOLDER, keep=FOLDER + "2")
    assert [one.name for one in (tmp_path / FOLDER).iterdir()] == ["2"]
    left.touch()
    await store.delete_folder(FOLDER)
    assert not (tmp_path / FOLDER).exists()


async def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    open_store((tmp_path / "made").as_uri())
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


async def test_a_bucket_that_is_not_there(endpoint: str, s3: "S3Client") -> None:
    store = bucket(endpoint, "no-such-bucket")
    with pytest.raises(StoreAway, match="missing"):
        await store.ping()
    with pytest.raises(StoreAway, match="missing"):
        await put(store, FOLDER + "1", b"data")


async def test_a_store_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.object_settings._RETRIES", {"max_retries": 0})
    store = bucket("http://127.0.0.1:9")  # "discard": nobody listens
    with pytest.raises(StoreAway, match="unreachable"):
        await store.ping()
    for size in (1, 2 * PART):
        with pytest.raises(StoreAway, match="unreachable"):
            await put(store, FOLDER + "1", os.urandom(size))
    with pytest.raises(StoreAway, match="unreachable"):
        await store.delete_folder(FOLDER)


async def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    store = open_store((tmp_path / "gone").as_uri())
    (tmp_path / "gone").rmdir()
    with pytest.raises(StoreAway, match="missing"):
        await store.ping()


FULL = """
import asyncio, os, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", sys.argv[1]], check=True)
from services.chassis.object_settings import open_store
from services.chassis.objects import StoreAway
async def main():
    store = open_store("file://" + sys.argv[1])
    try:
        async with store.upload("exports/1") as upload:
            for _ in range(40):
                await upload.write(os.urandom(1 << 20))
            await upload.commit()
    except StoreAway as error:
        print(error.reason, [name for _, _, files in os.walk(sys.argv[1]) for name in files])
asyncio.run(main())
"""


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    mount = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*mount, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small file system: a full disk can not be played")
    ran = subprocess.run(
        [*mount, sys.executable, "-c", FULL, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert ran.stdout == "full []\n"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("", {}),
        ("/var/exports", {}),
        ("file://var/exports", {}),
        ("file:relative", {}),
        ("https://bucket.example/prefix", {}),
        ("s3://", {}),
        ("s3:///prefix", {}),
        ("s3://key:secret@bucket/prefix", {}),
        ("s3://bucket/prefix?region=x", {}),
        ("s3://bucket", {"access_key": SecretStr("one-without-the-other")}),
        ("s3://bucket", {"endpoint": "http://minio.example:9000"}),
        ("file:///proc/exports", {}),
    ],
)
def test_settings_that_can_not_be_right(url: str, options: dict[str, object]) -> None:
    with pytest.raises(StoreMisconfigured) as caught:
        open_store(url, S3Options.model_validate(options))
    assert "HABEAS_EXPORTS_" in str(caught.value)
    assert "one-without-the-other" not in str(caught.value)
