"""One sandbox in a process of its own, emptied before each test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[4]
CONTACTS = "/crm/v3/objects/contacts"
AUTHORIZED = {"Authorization": "Bearer sandbox-hubspot-token"}


class Running:
    """A running sandbox and the doors a test knocks at."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "HABEAS_SANDBOX_DIR": str(folder)}
        environment |= {f"HABEAS_SANDBOX_{name}_PORT": "0" for name in ("HTTP", "S3", "SMTP")}
        command = [sys.executable, "-m", "services.sandbox", "serve"]
        self.folder = folder
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        self.ports = self._ports()
        self.url = f"http://127.0.0.1:{self.ports['http_port']}"
        self.control = httpx.Client(base_url=f"{self.url}/_sandbox", timeout=60, trust_env=False)
        self.hubspot = httpx.Client(base_url=f"{self.url}/hubspot", headers=AUTHORIZED, timeout=60, trust_env=False)

    def stop(self) -> int:
        self.control.close()
        self.hubspot.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def events(self) -> list[dict[str, Any]]:
        """What it logged so far; a line that is no JSON fails the test."""
        whole, _, _ = self._log.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def people(self, count: int = 25, seed: int = 1, **more: int) -> list[dict[str, Any]]:
        answer = self.control.post("/people", json={"count": count, "seed": seed, **more})
        assert answer.status_code == 201
        people: list[dict[str, Any]] = answer.json()["people"]
        return people

    def odd(self, oddity: str) -> dict[str, Any]:
        people = self.control.get("/people").json()["people"] or self.people()
        return next(one for one in people if one["oddity"] == oddity)

    def turn(self, vendor: str, **knobs: object) -> None:
        assert self.control.put(f"/knobs/{vendor}", json=knobs).status_code == 200

    def effects(self, vendor: str) -> list[dict[str, Any]]:
        """The ledger, read from its file: what counts is what is on disk."""
        whole, _, _ = (self.folder / "ledger" / f"{vendor}.jsonl").read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def remains(self, customer_id: str) -> dict[str, int]:
        left: dict[str, int] = self.control.get(f"/people/{customer_id}/remains").json()
        return left

    def digest(self, *without: str) -> str:
        return str(self.control.get("/state/digest", params={"except": ",".join(without)}).json()["digest"])

    def contact(self, **properties: str) -> str:
        answer = self.hubspot.post(CONTACTS, json={"properties": properties})
        assert answer.status_code == 201
        return str(answer.json()["id"])

    @property
    def _log(self) -> Path:
        return self.folder / "stderr.jsonl"

    def _ports(self) -> dict[str, int]:
        until(lambda: self.process.poll() is not None or bool(self.events()))
        ready = self.events()[0]
        assert ready["event"] == "sandbox.ready"
        return {name: ready[name] for name in ("http_port", "s3_port", "smtp_port")}


def until(condition: Callable[[], bool]) -> None:
    """Ask again until it holds; the test's own time limit ends a condition that never does."""
    while not condition():
        time.sleep(0.01)


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()
    assert [one["event"] for one in running.events()] == ["sandbox.ready", "sandbox.stopped"]


@pytest.fixture
def sandbox(_running: Running) -> Running:
    assert _running.control.post("/reset").status_code == 204
    return _running


def s3_client(running: Running, access_key: str = "sandbox", *, read_timeout: float = 60) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{running.ports['s3_port']}",
        region_name="eu-west-1",
        aws_access_key_id=access_key,
        aws_secret_access_key="sandbox-secret",
        config=Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            read_timeout=read_timeout,
            proxies={},
        ),
    )


@pytest.fixture
def s3(sandbox: Running) -> Iterator["S3Client"]:
    client = s3_client(sandbox)
    yield client
    client.close()
