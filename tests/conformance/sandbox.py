"""The sandbox as vendor under test: a process of its own on free ports, filled and upset through its control API."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from habeas.sdk import Identity, IdentityType
from habeas.testing import VendorUnderTest
from tests.plain import HTTP

ROOT = Path(__file__).parents[2]


@dataclass
class Sandbox:
    """A running sandbox."""

    http_port: int
    s3_port: int
    home: Path
    seed: int = 100
    pool: list[dict[str, Any]] = field(default_factory=list)

    def control(self, method: str, path: str, body: object | None = None) -> Any:
        answer = HTTP.request(method, f"http://127.0.0.1:{self.http_port}/_sandbox{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def person(self, oddity: str = "") -> dict[str, Any]:
        """A new person of the ordinary kind, or one who is odd in this way."""
        for _ in range(2):
            for index, one in enumerate(self.pool):
                if one["oddity"] == oddity:
                    return self.pool.pop(index)
            self.seed += 1
            self.pool = self.control("POST", "/people", {"count": 50, "seed": self.seed})["people"]
            for before, after in pairwise(self.pool):
                # Who shares something with a neighbour is odd too, though only the other one is marked.
                before["oddity"] = before["oddity"] or ("neighbour" if after["oddity"].startswith("shares") else "")
        message = f"nobody is odd in this way: {oddity}"
        raise AssertionError(message)

    def locked_person(self) -> dict[str, Any]:
        """A new person with an object under retention."""
        self.seed += 1
        people: list[dict[str, Any]] = self.control("POST", "/people", {"count": 1, "seed": self.seed, "locked": 1})[
            "people"
        ]
        return people[0]

    def resident(self, identities: Sequence[Identity]) -> dict[str, Any]:
        """What the sandbox knows of the person with this customer id."""
        customer_id = next(each.value for each in identities if each.type is IdentityType.CUSTOMER_ID)
        people: list[dict[str, Any]] = self.control("GET", "/people")["people"]
        return next(one for one in people if one["customer_id"] == customer_id)

    def effects(self, vendor: str, person: str) -> list[dict[str, Any]]:
        """What the vendor's own ledger says was changed of a person."""
        effects: list[dict[str, Any]] = self.control("GET", f"/ledger/{vendor}")["effects"]
        return [each for each in effects if each["person"] == person and each["changed"]]

    def blocked(self, email: str) -> bool:
        return bool(
            HTTP.get(f"http://127.0.0.1:{self.http_port}/_sandbox/hubspot/blocklist", params={"email": email}).json()[
                "blocked"
            ]
        )


@contextmanager
def running(home: Path) -> Iterator[Sandbox]:
    """Start a sandbox below `home` and stop it."""
    ports = dict.fromkeys(("HABEAS_SANDBOX_HTTP_PORT", "HABEAS_SANDBOX_S3_PORT", "HABEAS_SANDBOX_SMTP_PORT"), "0")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "services.sandbox", "serve"],
        cwd=ROOT,
        env={**os.environ, **ports, "HABEAS_SANDBOX_DIR": str(home), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            yield _ready(process, home)
            process.terminate()
            process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()


def _ready(process: subprocess.Popen[str], home: Path) -> Sandbox:
    assert process.stderr is not None
    for text in process.stderr:
        line = json.loads(text) if text.startswith("{") else {}
        if line.get("event") == "sandbox.ready":
            return Sandbox(line["http_port"], line["s3_port"], home)
    message = "the sandbox ended before it was ready"
    raise AssertionError(message)


def known_by(person: dict[str, Any]) -> Sequence[Identity]:
    return (
        Identity(IdentityType.EMAIL, person["email"]),
        Identity(IdentityType.CUSTOMER_ID, person["customer_id"]),
    )


class SandboxVendor(VendorUnderTest):
    """One vendor of the sandbox; `name` is its word there."""

    name: str

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sandbox.control("DELETE", "/knobs")

    async def person(self) -> Sequence[Identity]:
        return known_by(self.sandbox.person())

    async def nobody(self) -> Sequence[Identity]:
        return (Identity(IdentityType.EMAIL, "nobody@example.org"), Identity(IdentityType.CUSTOMER_ID, "c-nobody"))

    async def remains(self, identities: Sequence[Identity]) -> int:
        customer_id = next(each.value for each in identities if each.type is IdentityType.CUSTOMER_ID)
        return int(self.sandbox.control("GET", f"/people/{customer_id}/remains")[self.name])

    async def busy(self) -> None:
        self.knobs(rate_limit=1)

    async def lie(self) -> None:
        self.knobs(lie=1)

    async def calm(self) -> None:
        self.sandbox.control("DELETE", f"/knobs/{self.name}")

    def knobs(self, **wanted: object) -> None:
        self.sandbox.control("PUT", f"/knobs/{self.name}", wanted)
