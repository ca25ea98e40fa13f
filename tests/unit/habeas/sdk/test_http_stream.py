"""Bodies of any size as they come: what is handed over, what is told apart, what is given up."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from habeas.sdk import Answer, CredentialsRejected, Http, ProcessorError, RetryLater
from habeas.testing import faults
from habeas.testing.faults import FaultyTransport


def client(answer: Callable[[httpx.Request], httpx.Response], *, timeout: float = 5.0) -> Http:
    transport = httpx.MockTransport(answer)
    return Http(base_url="http://vendor.invalid", timeout=timeout, max_bytes=1024, transport=transport)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def drain(http: Http, got: list[bytes]) -> int:
    """Read a file to its end into `got`; return the status."""
    async with http.stream("GET", "/files/secret-id/content") as stream:
        async for chunk in stream.chunks:
            got.append(chunk)  # noqa: PERF401 (what came before a failure counts)
    return stream.status


async def test_a_body_larger_than_any_answer_comes_in_pieces() -> None:
    got: list[bytes] = []
    async with client(lambda _: httpx.Response(200, content=pieces(*[bytes(1_000)] * 50))) as http:
        assert await drain(http, got) == 200
    assert [len(each) for each in got] == [1_000] * 50


async def test_what_is_no_success_is_judged_before_anything_is_handed_over() -> None:
    answers = {"/gone": 404, "/locked": 401, "/busy": 503, "/odd": 400}

    def judge(answer: Answer) -> ProcessorError | None:
        return CredentialsRejected("odd") if answer.status == 400 else None

    async with client(lambda request: httpx.Response(answers[request.url.path], content=b"why")) as http:
        async with http.stream("GET", "/gone") as stream:
            assert (stream.status, [each async for each in stream.chunks]) == (404, [b"why"])
        for path, error, reason in (
            ("/locked", CredentialsRejected, "credentials_rejected"),
            ("/busy", RetryLater, "http_503"),
            ("/odd", CredentialsRejected, "odd"),
        ):
            with pytest.raises(error, match=reason):
                async with http.stream("GET", path, judge=judge):
                    raise AssertionError("nothing may be handed over")


async def test_a_body_that_breaks_off_is_not_taken_for_the_whole() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"first"
        raise httpx.ReadError("connection reset")

    got: list[bytes] = []
    async with client(lambda _: httpx.Response(200, content=broken())) as http:
        with pytest.raises(RetryLater, match="unreachable"):
            await drain(http, got)
    assert got == [b"first"]


async def test_a_vendor_that_falls_silent_is_not_waited_for_for_ever() -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.get_running_loop().create_future()

    async with client(lambda _: httpx.Response(200, content=silent()), timeout=1.0) as http:
        with pytest.raises(RetryLater, match="timeout"):
            await drain(http, [])


async def test_a_packed_body_is_asked_for_unpacked_and_refused_if_it_comes_all_the_same() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(200, content=gzip.compress(bytes(10**6)), headers={"content-encoding": "gzip"})

    async with client(answer) as http:
        with pytest.raises(RetryLater, match="packed_answer"):
            async with http.stream("GET", "/file"):
                raise AssertionError("nothing may be handed over")
    assert asked == ["identity"]


async def test_a_stream_leaves_no_trace_in_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = FaultyTransport(httpx.MockTransport(lambda _: httpx.Response(200)), lambda *_: faults.refused())
    async with Http(base_url="http://vendor.invalid", transport=transport) as http:
        with pytest.raises(RetryLater, match="unreachable"):
            await drain(http, [])
    async with client(lambda _: httpx.Response(200, content=pieces(b"x"))) as calm:
        assert await drain(calm, []) == 200
    assert "secret-id" not in caplog.text
