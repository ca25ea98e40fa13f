"""How the tests of the sandbox's Stripe call it."""

from typing import Any

import httpx

from tests.integration.services.sandbox.conftest import Running
from tests.plain import HTTP

KEY = "sk_test_sandbox"
PREVIEW = "2026-06-24.preview"


def call(
    sandbox: Running, method: str, path: str, form: dict[str, Any] | None = None, **headers: str
) -> httpx.Response:
    """One call with the account's key; `headers` with underscores for dashes."""
    named = {"authorization": f"Bearer {KEY}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    url = f"{sandbox.url}/stripe{path}"
    return HTTP.request(method, url, data=form, headers=named)


def jobs(sandbox: Running, method: str, path: str = "", form: dict[str, Any] | None = None, **headers: str) -> Any:
    """One call about redaction jobs, in the preview that they need; the answer's JSON."""
    return call(sandbox, method, f"/v1/privacy/redaction_jobs{path}", form, stripe_version=PREVIEW, **headers).json()


def payer(sandbox: Running, kind: str, seed: int = 1) -> dict[str, Any]:
    """A person who pays in this way."""
    answer = sandbox.control.post("/people", json={"count": 1, "seed": seed, "payer": kind})
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()["people"][0]
    return found


def listed(sandbox: Running, path: str) -> list[dict[str, Any]]:
    """The objects of the first page of a list."""
    answer = call(sandbox, "GET", path)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data
