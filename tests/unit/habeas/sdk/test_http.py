"""The HTTP client of processors against vendors at their worst."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest

from habeas.sdk import Answer, CredentialsRejected, Http, ProcessorError, RetryLater, retry_after
from habeas.sdk.http import IDLE_CONNECTIONS, authorities, bounded_by
from habeas.testing import faults
from habeas.testing.faults import Fault, FaultyTransport
from tests.waiting import until

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def vendor(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"ok": True})


def client(fault: Fault | None, *, timeout: float = 5.0) -> Http:
    transport = FaultyTransport(httpx.MockTransport(vendor), lambda number, request: fault)
    return Http(base_url="http://vendor.invalid", timeout=timeout, max_bytes=1024 * 1024, transport=transport)


@pytest.fixture
async def calm() -> AsyncIterator[Http]:
    async with client(None) as http:
        yield http


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.throttled(), "rate_limited"),
        (faults.broken(500), "http_500"),
        (faults.broken(503), "http_503"),
        (faults.refused(), "unreachable"),
        (faults.reply_lost(), "unreachable"),
        (faults.gzip_bomb(), "answer_too_large"),
        (faults.silent(), "timeout"),
        (faults.trickling(), "timeout"),
    ],
)
async def test_every_hostile_answer_means_try_later(fault: Fault, reason: str) -> None:
    async with client(fault, timeout=0.3 if reason == "timeout" else 30.0) as http:
        started = time.monotonic()
        with pytest.raises(RetryLater) as caught:
            await http.call("GET", "/people/jane@example.com")
    assert caught.value.reason == reason
    assert "jane" not in str(caught.value)
    assert time.monotonic() - started < 30.0


async def test_a_tls_error_means_try_later() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("jane@example.com") from ssl.SSLError()

    async with Http(base_url="https://vendor.invalid", transport=httpx.MockTransport(refuse)) as http:
        with pytest.raises(RetryLater, match="unreachable"):
            await http.call("GET", "/")


async def test_redirects_are_not_followed() -> None:
    async with client(faults.redirected("http://127.0.0.1:1/")) as http:
        assert (await http.call("GET", "/")).status == 302


async def test_half_an_answer_means_try_later() -> None:
    async with client(faults.half_an_answer()) as http:
        answer = await http.call("GET", "/")
        with pytest.raises(RetryLater, match="unreadable_answer"):
            answer.json()


async def test_refused_credentials_are_told_apart() -> None:
    async with client(faults.broken(401)) as http:
        with pytest.raises(CredentialsRejected):
            await http.call("GET", "/")


async def test_the_vendors_own_reading_goes_first() -> None:
    def judge(answer: Answer) -> ProcessorError | None:
        return RetryLater("daily_limit", after=99.0) if answer.status == 429 else None

    async with client(faults.throttled()) as http:
        with pytest.raises(RetryLater, match="daily_limit") as caught:
            await http.call("GET", "/", judge=judge)
    assert caught.value.after == 99.0


async def test_no_call_begins_that_would_outlast_the_lease(calm: Http) -> None:
    with bounded_by(lambda: 1.5), pytest.raises(RetryLater, match="no_time_left"):
        await calm.call("GET", "/")
    with bounded_by(lambda: 10.0):
        assert (await calm.call("GET", "/")).json() == {"ok": True}


async def test_a_call_ends_before_the_lease_does() -> None:
    async with client(faults.silent(), timeout=60.0) as http:
        started = time.monotonic()
        with bounded_by(lambda: 2.1), pytest.raises(RetryLater, match="timeout"):
            await http.call("GET", "/")
    assert time.monotonic() - started < 30.0


async def test_the_rate_limit_is_awaited_before_each_call() -> None:
    turns: list[int] = []

    async def before_call() -> None:
        turns.append(1)

    transport = httpx.MockTransport(vendor)
    async with Http(base_url="http://vendor.invalid", transport=transport, before_call=before_call) as http:
        await http.call("GET", "/")
        await http.call("GET", "/")
    assert len(turns) == 2


async def test_calls_leave_no_trace_in_the_logs_and_others_keep_theirs(
    calm: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await calm.call("GET", "/people/jane@example.com", headers={"authorization": "Bearer secret"})
    assert not caplog.records
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as other:
        await other.get("http://elsewhere.invalid/")
    assert "elsewhere.invalid" in caplog.text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("1.5", 1.5),
        ("Fri, 20 Nov 2026 09:31:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 09:00:00 GMT", 1.0),
        ("-5", 1.0),
        ("0", 1.0),
        ("999999999", 86_400.0),
        ("inf", 86_400.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_believed_within_bounds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


async def test_clients_share_whom_they_trust() -> None:
    async with Http(base_url="http://127.0.0.1:1"), Http(base_url="http://127.0.0.1:2"):
        assert authorities() is authorities()
        assert authorities.cache_info().misses == 1


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[str, set[asyncio.StreamWriter]]]:
    """A vendor that answers once six calls are there, each on its own connection; yields its address and who is on."""
    connected: set[asyncio.StreamWriter] = set()
    all_there = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.add(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            if len(connected) == 6:
                all_there.set()
            await all_there.wait()
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def until_left(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            connected.discard(writer)
            writer.close()

    async with await asyncio.start_server(until_left, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connected


async def test_few_connections_stay_open_and_those_are_used_again() -> None:
    async with counting() as (url, connected), Http(base_url=url) as http:
        await asyncio.gather(*(http.call("GET", "/") for _ in range(6)))
        await until(lambda: len(connected) == IDLE_CONNECTIONS)
        kept = set(connected)
        await asyncio.gather(*(http.call("GET", "/") for _ in range(IDLE_CONNECTIONS)))
        assert connected == kept
