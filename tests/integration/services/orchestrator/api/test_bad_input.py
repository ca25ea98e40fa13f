"""Every kind of bad input gets a problem document of its own, and nothing is stored."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.http import Problem
from habeas.vocabulary import Scope
from services.orchestrator.api.examples import REQUEST
from tests.integration.services.orchestrator.conftest import Api

JSON = {"content-type": "application/json", "idempotency-key": "k"}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The example with one thing changed; `path` is dotted."""
    body = copy.deepcopy(REQUEST)
    *parents, last = path.split(".")
    place: Any = body
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    place[last] = value
    return body


def deep(levels: int) -> bytes:
    return b'{"metadata":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


SECRET = "squirrel"
IDENTITY = {"type": "email", "value": "jane@example.com"}
MANY = [{"type": "customer_id", "value": f"c-{number}"} for number in range(10_000)]
EMAIL = "contact.email"
PLACE = "/rectification/corrections"


def correcting(*corrections: Any, right: str = "rectification") -> dict[str, Any]:
    """A rectification as it is sent."""
    return {**REQUEST, "right": right, "rectification": {"corrections": list(corrections)}}


def of(*corrections: Any, at: str) -> tuple[Any, int, str, str | None]:
    return correcting(*corrections), 422, "validation_failed", f"{PLACE}{at}"


RECTIFYING: dict[str, tuple[Any, int, str, str | None]] = {
    "a rectification of nothing": (changed("right", "rectification"), 422, "validation_failed", "/rectification"),
    "no corrections": of(at=""),
    "corrections of another right": (
        correcting({"field": EMAIL, "to": f"{SECRET}@example.com"}, right="erasure"), 422, "validation_failed",
        "/rectification",
    ),
    "corrections of a right to a copy": (
        correcting({"field": EMAIL, "to": f"{SECRET}@example.com"}, right="access"), 422, "validation_failed",
        "/rectification",
    ),
    "a correction without a value": of({"field": EMAIL, "from": f"{SECRET}@example.com"}, at="/0/to"),
    "a correction to null": of({"field": EMAIL, "to": None}, at="/0/to"),
    "a correction to nothing": of({"field": EMAIL, "to": ""}, at="/0/to"),
    "a correction to blanks": of({"field": "contact.name", "to": " \t "}, at="/0/to"),
    "a correction of blanks": of({"field": "contact.name", "from": " ", "to": SECRET}, at="/0/from"),
    "a correction to what stands there": of({"field": "contact.name", "from": SECRET, "to": f" {SECRET}"}, at="/0/to"),
    "a correction to the same address": of(
        {"field": EMAIL, "from": f"{SECRET}@Example.com", "to": f"{SECRET}@example.com"}, at="/0/to"
    ),
    "a field that is corrected twice": of(
        {"field": "contact.name", "to": "x"}, {"field": "contact.name", "to": SECRET}, at="/1/field"
    ),
    "a correction to a line break": of({"field": "contact.name", "to": f"{SECRET}\nx"}, at="/0/to"),
    "a correction of an escape": of({"field": "contact.name", "from": f"{SECRET}\x1b[2J", "to": "x"}, at="/0/from"),
    "a correction to NUL": of({"field": "contact.name", "to": f"{SECRET}\x00"}, at="/0/to"),
    "a correction to no e-mail address": of({"field": EMAIL, "to": f"{SECRET} x"}, at="/0/to"),
    "a correction to a list of addresses": of({"field": EMAIL, "to": f"{SECRET}@a.com,x@a.com"}, at="/0/to"),
    "a correction to no phone number": of({"field": "contact.phone", "to": f"0612 {SECRET}"}, at="/0/to"),
    "a correction to a number": of({"field": "contact.name", "to": 38}, at="/0/to"),
    "a correction of no field": of({"to": SECRET}, at="/0/field"),
    "a field that is no key": of({"field": f"{SECRET} name", "to": "x"}, at="/0/field"),
    "a field without a category": of({"field": "email", "to": f"{SECRET}@example.com"}, at="/0/field"),
    "a field in capitals": of({"field": "Contact.email", "to": f"{SECRET}@example.com"}, at="/0/field"),
    "a correction too long": of({"field": "contact.name", "to": "x" * 1_025}, at="/0/to"),
    "21 corrections": of(*({"field": f"contact.f{number}", "to": "x"} for number in range(21)), at=""),
    "a correction with more": of({"field": EMAIL, "to": f"{SECRET}@example.com", "why": SECRET}, at="/0/why"),
    "a correction that is a text": of(SECRET, at="/0"),
}  # fmt: skip
BODIES: dict[str, tuple[Any, int, str, str | None]] = {
    "unknown right": (changed("right", SECRET), 422, "validation_failed", "/right"),
    "a right that is not offered": (changed("right", "restriction"), 422, "right_not_offered", "/right"),
    "no right": ({"subject": REQUEST["subject"]}, 422, "validation_failed", "/right"),
    "unknown kind of identity": (
        changed("subject.identities", [{"type": SECRET, "value": "x"}]), 422, "validation_failed",
        "/subject/identities/0/type",
    ),
    "malformed e-mail": (
        changed("subject.identities", [IDENTITY, {"type": "email", "value": f"{SECRET}@"}]), 422, "validation_failed",
        "/subject/identities/1/value",
    ),
    "malformed phone": (
        changed("subject.identities", [{"type": "phone", "value": f"0612 {SECRET}"}]), 422, "validation_failed",
        "/subject/identities/0/value",
    ),
    "control character in an identity": (
        changed("subject.identities", [{"type": "username", "value": f"{SECRET}\x1b[2J"}]), 422, "validation_failed",
        "/subject/identities/0/value",
    ),
    "empty identities": (changed("subject.identities", []), 422, "validation_failed", "/subject/identities"),
    "51 identities": (changed("subject.identities", MANY[:51]), 422, "validation_failed", "/subject/identities"),
    "10,000 identities": (changed("subject.identities", MANY), 413, "body_too_large", None),
    "malformed contact": (changed("subject.contact", {"email": f"{SECRET} x"}), 422, "validation_failed",
                          "/subject/contact/email"),
    "unknown field": ({**REQUEST, SECRET: 1}, 422, "validation_failed", f"/{SECRET}"),
    "unknown field inside": (changed("subject.name", SECRET), 422, "validation_failed", "/subject/name"),
    "a time without zone": (changed("received_at", "2026-11-20T09:30:00"), 422, "validation_failed", "/received_at"),
    "a time as a number": (changed("received_at", 1_795_000_000), 422, "validation_failed", "/received_at"),
    "a time as digits": (changed("received_at", "1795000000"), 422, "validation_failed", "/received_at"),
    "a day": (changed("received_at", "2026-11-20"), 422, "validation_failed", "/received_at"),
    "a time in the future": (changed("received_at", "2027-01-01T00:00:00Z"), 422, "validation_failed", "/received_at"),
    "a time long ago": (changed("received_at", "2025-01-01T00:00:00Z"), 422, "validation_failed", "/received_at"),
    "too much metadata": (
        changed("metadata", {f"a{number}": "b" for number in range(21)}), 422, "validation_failed", "/metadata",
    ),
    "NUL in a value": (changed("reference", f"{SECRET}\x00"), 422, "validation_failed", "/reference"),
    "NUL in a name": (changed("metadata", {f"{SECRET}\x00": "x"}), 422, "validation_failed", "/metadata/*"),
    "a case that is no id": (changed("case", SECRET), 422, "validation_failed", "/case"),
    **RECTIFYING,
    "a list": ([REQUEST], 422, "validation_failed", ""),
    "1 MB": (b" " * 1_000_000 + b"{}", 413, "body_too_large", None),
    "deep JSON": (deep(10_000), 400, "json_too_deep", None),
    "no JSON": (b'{"right": squirrel', 400, "malformed_json", None),
    "an empty body": (b"", 400, "malformed_json", None),
    "not UTF-8": (b'{"right": "\xff\xfe"}', 400, "malformed_json", None),
    "half a surrogate pair": (b'{"right": "\\ud800"}', 400, "malformed_json", None),
}  # fmt: skip


def check(answer: httpx.Response, status: int, code: str) -> Problem:
    """The answer is this problem, complete, and repeats nothing that was sent."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = Problem.model_validate(answer.json())
    assert problem.status == status
    assert problem.request_id == answer.headers["x-request-id"]
    assert len(answer.headers["trace-id"]) == 32
    assert problem.detail.endswith(".")
    return problem


async def nothing_stored(api: Api) -> None:
    for table in ("cases", "requests", "request_keys", "request_secrets", "timeline", "outbox"):
        assert await api.count(table) == 0, table


@pytest.mark.parametrize(("body", "status", "code", "pointer"), BODIES.values(), ids=BODIES.keys())
async def test_a_bad_body_is_a_problem_that_points_at_the_field_and_stores_nothing(
    api: Api, caller: httpx.AsyncClient, body: Any, status: int, code: str, pointer: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await caller.post("/v1/requests", content=content, headers=JSON)
    problem = check(answer, status, code)
    if pointer is not None:
        assert pointer in [error["pointer"] for error in problem.errors]
    assert SECRET not in answer.text.replace(f'"/{SECRET}"', "")
    assert "jane" not in answer.text
    await nothing_stored(api)


async def test_a_body_that_grows_beyond_its_limit_is_not_read_to_its_end(api: Api, caller: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65_536

    answer = await caller.post("/v1/requests", content=endless(), headers=JSON)
    check(answer, 413, "body_too_large")
    assert sent < 10
    await nothing_stored(api)


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999"])
async def test_a_length_that_can_not_be_is_too_large(api: Api, caller: httpx.AsyncClient, length: str) -> None:
    answer = await caller.post("/v1/requests", content=b"{}", headers={**JSON, "content-length": length})
    check(answer, 413, "body_too_large")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
async def test_another_content_type_is_415(api: Api, caller: httpx.AsyncClient, media_type: str) -> None:
    headers = {"idempotency-key": "k", "content-type": media_type}
    answer = await caller.post("/v1/requests", content=json.dumps(REQUEST), headers=headers)
    check(answer, 415, "media_type_unsupported")
    await nothing_stored(api)


async def test_a_charset_beside_the_content_type_is_fine(caller: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k", "content-type": "Application/JSON; charset=utf-8"}
    answer = await caller.post("/v1/requests", content=json.dumps(REQUEST), headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/requests/batch"])
async def test_the_idempotency_key_is_needed(api: Api, caller: httpx.AsyncClient, path: str) -> None:
    check(await caller.post(path, json=REQUEST), 400, "idempotency_key_missing")
    await nothing_stored(api)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "caf\xe9", "a\tb"])
async def test_a_malformed_idempotency_key_is_refused(api: Api, caller: httpx.AsyncClient, key: str) -> None:
    answer = await caller.post("/v1/requests", json=REQUEST, headers={b"idempotency-key": key.encode("latin-1")})
    check(answer, 400, "idempotency_key_malformed")
    await nothing_stored(api)


async def test_two_idempotency_keys_are_none(api: Api, caller: httpx.AsyncClient) -> None:
    answer = await caller.post(
        "/v1/requests", json=REQUEST, headers=[("idempotency-key", "a"), ("idempotency-key", "b")]
    )
    check(answer, 400, "idempotency_key_malformed")


async def test_vouching_for_an_identity_needs_its_scope(api: Api) -> None:
    async with api.client(await api.key(Scope.REQUESTS_FILE)) as caller:
        answer = await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})
    assert "identity:assert" in check(answer, 403, "scope_missing").detail
    await nothing_stored(api)


@pytest.mark.parametrize(
    "batch", [{}, {"requests": []}, {"requests": [REQUEST] * 1001}, {"requests": "all"}, {"requests": [1]}]
)
async def test_a_bad_batch_is_refused_whole(api: Api, caller: httpx.AsyncClient, batch: Any) -> None:
    check(await caller.post("/v1/requests/batch", json=batch, headers=JSON), 422, "validation_failed")
    await nothing_stored(api)


async def test_deep_or_nul_items_of_a_batch_are_refused(api: Api, caller: httpx.AsyncClient) -> None:
    content = b'{"requests":[' + deep(10_000) + b"]}"
    check(await caller.post("/v1/requests/batch", content=content, headers=JSON), 400, "json_too_deep")
    nul = {"requests": [changed("reference", "x\x00")]}
    check(await caller.post("/v1/requests/batch", json=nul, headers=JSON), 422, "validation_failed")
    await nothing_stored(api)


async def test_a_batch_has_its_own_larger_limit(api: Api, caller: httpx.AsyncClient) -> None:
    content = b" " * (8 * 1024 * 1024 + 1)
    check(await caller.post("/v1/requests/batch", content=content, headers=JSON), 413, "body_too_large")
    half = {"requests": [changed("metadata", {"a": "x" * 480})] * 1_000}
    answer = await caller.post("/v1/requests/batch", json=half, headers=JSON)
    assert {one["status"] for one in answer.json()["results"]} == {201}


@pytest.mark.parametrize(
    "query",
    [
        "state=done", "right=x", "attention=perhaps", "due_before=tomorrow", "created_after=2026-01-01", "limit=0",
        "limit=1000", "limit=x", "unknown=1", "limit=1&limit=2", "processor=A%00B",
    ],
)  # fmt: skip
async def test_a_bad_filter_is_refused(caller: httpx.AsyncClient, query: str) -> None:
    check(await caller.get(f"/v1/requests?{query}"), 422, "validation_failed")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "!!!!", "a" * 400])
async def test_a_made_up_cursor_is_refused(caller: httpx.AsyncClient, cursor: str) -> None:
    for path in ("/v1/requests", "/v1/dead-letters"):
        check(await caller.get(f"{path}?cursor={cursor}"), 400, "cursor_invalid")


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/requests/", "/v2/requests", "/docs", "/redoc", "/v1/nothing"])
async def test_an_unknown_address_is_404(api: Api, path: str) -> None:
    async with api.client() as nobody:
        check(await nobody.get(path), 404, "not_found")


async def test_a_method_that_is_not_there_is_405_and_says_what_is(caller: httpx.AsyncClient) -> None:
    answer = await caller.delete("/v1/requests")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "request_id", ["req_01J00000000000000000000000", "req_1", "tsk_01J00000000000000000000000", "%00"]
)
@pytest.mark.parametrize("rest", ["", "/tasks", "/timeline", "/recipients", "/package"])
async def test_an_unknown_request_is_404(caller: httpx.AsyncClient, request_id: str, rest: str) -> None:
    check(await caller.get(f"/v1/requests/{request_id}{rest}"), 404, "not_found")
