"""200 MB from each of several processors at once, and read again, in flat memory: at most 64 MB more than idle."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[4]
SIZE = 200_000_000
MOST_GROWTH = 64 << 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process held at most")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real S3 whose objects lie on the disk."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    monkeypatch.setenv("MOTO_S3_DEFAULT_KEY_BUFFER_SIZE", "100000")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-1",
        aws_access_key_id="tester",
        aws_secret_access_key="made-up",
    )
    client.create_bucket(Bucket="flat", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield f"http://{host}:{port}"
    server.stop()


async def grown(url: str, size: int, **more: str) -> dict[str, int]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.services.connectors.flat",
        url,
        str(size),
        cwd=ROOT,
        env=os.environ | more,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await child.communicate()
    assert child.returncode == 0
    growth: dict[str, int] = json.loads(told)
    return growth


async def test_a_folder(tmp_path: Path) -> None:
    growth = await grown(tmp_path.as_uri(), SIZE)
    assert {name: bytes_ >> 20 for name, bytes_ in growth.items() if bytes_ > MOST_GROWTH} == {}


async def test_a_bucket(endpoint: str) -> None:
    growth = await grown("s3://flat/below", SIZE // 4, ENDPOINT=endpoint)  # moto is slow; all of it is still too much
    assert {name: bytes_ >> 20 for name, bytes_ in growth.items() if bytes_ > MOST_GROWTH} == {}


async def test_the_measure_would_notice(tmp_path: Path) -> None:
    """Read with the whole object as one piece: what is asserted above must fail."""
    growth = await grown(tmp_path.as_uri(), SIZE // 2, AT_A_TIME=str(SIZE))
    assert growth["reading"] > MOST_GROWTH
