"""Admits the sandbox's processors and writes the folders that the connector host reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from habeas.local.errors import LocalStackError
from habeas.local.home import Home
from habeas.local.places import write_private
from habeas.local.ports import LOOPBACK
from habeas.local.waiting import wait_until

ANNOUNCED_WITHIN = 120.0  # seconds
ENROLMENT = ("processor", "kind", "enrolment", "version", "secret")  # what enrolment.key holds


@dataclass(frozen=True)
class Wanted:
    """A processor to enrol, with what its folder holds."""

    id: str
    kind: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


def sandbox_processors(ports: Mapping[str, int], home: Home) -> tuple[Wanted, ...]:
    """The processors whose vendors the sandbox plays; its credentials are public words."""
    return (
        Wanted(
            id="crm-eu",
            kind="hubspot",
            settings={"base_url": f"http://{LOOPBACK}:{ports['sandbox']}/hubspot"},
            secrets={"token": "sandbox-hubspot-token"},
        ),
        Wanted(
            id="files",
            kind="s3",
            settings={
                "endpoint_url": f"http://{LOOPBACK}:{ports['sandbox-s3']}",
                "region": "eu-west-1",
                "bucket": "habeas-demo",
                "addressing_style": "path",
                "prefix": "customers/{customer_id}/",
            },
            secrets={"access_key_id": "sandbox", "secret_access_key": "sandbox-secret"},
        ),
        Wanted(
            id="billing",
            kind="stripe",
            settings={
                "base_url": f"http://{LOOPBACK}:{ports['sandbox']}/stripe",
                "redaction": "true",  # what no law keeps of payments goes too
                "poll_seconds": "1",
            },
            secrets={"key": "sk_test_sandbox"},
        ),
        Wanted(
            id="ai",
            kind="openai",
            settings={
                "base_url": f"http://{LOOPBACK}:{ports['sandbox']}/openai/v1",
                "ids_file": str(home.ids_file),
            },
            secrets={"token": "sandbox-openai-token"},
        ),
    )


def write_settings(home: Home, wanted: Wanted) -> None:
    """Write what the processor is told, secrets one file each (0600). Ports may differ from last time."""
    folder = home.processors / wanted.id
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in wanted.settings.items()]  # TOML quotes as JSON does
    lines.append("\n[limits]  # the sandbox's plan: as fast as it can\nconcurrency = 16\ncalls = 2000\nper = 1.0\n")
    write_private(folder / "settings.toml", "".join(lines))
    for name, secret in wanted.secrets.items():
        write_private(folder / "secrets" / name, secret)


class Enroller:
    """The admin's part of the HTTP API, as far as the local stack needs it."""

    def __init__(self, url: str, key: str) -> None:
        """Talk to the orchestrator at `url`, past any proxy, with an API key of all scopes."""
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, transport=httpx.HTTPTransport(), timeout=10.0
        )

    def __enter__(self) -> Self:
        """Return the admin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def enrol(self, home: Home, wanted: Wanted) -> None:
        """Enrol the processor unless its folder says that it is. Raises LocalStackError if that is refused."""
        file = home.processors / wanted.id / "enrolment.key"
        if file.exists():
            return
        body = {"id": wanted.id, "kind": wanted.kind}
        # A start that was cut short asks again with the same key, and gets the same enrolment.
        told = self._ask("POST", json=body, headers={"Idempotency-Key": f"local-stack-{wanted.id}"})
        write_private(file, json.dumps({name: told[name] for name in ENROLMENT}))

    def wait_until_announced(self, processors: set[str]) -> None:
        """Wait until connectors have announced all of them. Raises LocalStackError if they do not."""
        if not wait_until(lambda: processors <= self._announced(), seconds=ANNOUNCED_WITHIN):
            missing = ", ".join(sorted(processors - self._announced()))
            problem = f"No connector announced {missing}; the log of `connectors` says why."
            raise LocalStackError(problem)

    def _announced(self) -> set[str]:
        return {one["id"] for one in self._ask("GET")["data"] if one["state"] == "announced"}

    def _ask(self, method: str, **rest: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, "/v1/processors", **rest)
        except httpx.HTTPError as error:
            raise LocalStackError("The orchestrator stopped answering; its log says why.") from error
        if not answer.is_success:
            problem = f"The orchestrator answered {method} /v1/processors with {answer.status_code}; its log says why."
            raise LocalStackError(problem)
        told: dict[str, Any] = answer.json()
        return told
