"""What both clients do with httpx: headers, and one prepared request per operation."""

import json
from typing import Any

import httpx

from habeas.client.operations import Download, Operation

LOOKING = 600.0  # seconds until the first byte of a download: the server reads all of it through before
TIMEOUT = 10.0  # seconds for one try: connecting, sending, and each read
# A proxy of the environment is for other machines: it can't reach what listens on this one's loopback.
DIRECT = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}


def headers(key: str) -> dict[str, str]:
    """Return what goes with every call."""
    return {"authorization": f"Bearer {key}", "accept": "application/json", "user-agent": "habeas-client"}


def prepare_download(client: httpx.Client | httpx.AsyncClient, download: Download) -> httpx.Request:
    """Return the HTTP request for a body that is read as it comes."""
    own = client.timeout
    timeout = httpx.Timeout(connect=own.connect, write=own.write, pool=own.pool, read=LOOKING)
    accept = f"{download.media_type}, application/problem+json"
    return client.build_request("GET", download.path, headers={"accept": accept}, timeout=timeout)


def prepare(client: httpx.Client | httpx.AsyncClient, operation: Operation[Any]) -> httpx.Request:
    """Return the HTTP request that `operation` is."""
    extra = {"content-type": "application/json"} if operation.body is not None else {}
    if operation.idempotency_key is not None:
        extra["idempotency-key"] = f'"{operation.idempotency_key}"'  # a string of RFC 9651; operations let no quote in
    content = None if operation.body is None else json.dumps(operation.body).encode()
    return client.build_request(
        operation.method, operation.path, params=dict(operation.query), headers=extra, content=content
    )
