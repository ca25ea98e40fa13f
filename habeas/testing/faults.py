"""HTTP transports that misbehave as vendors do: throttled, broken, silent, endless, or mute after the work was done."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Protocol

import httpx


class Fault(Protocol):
    """What befalls one call; `inner` is the honest vendor."""

    async def __call__(self, request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        """Answer `request`, or raise what a transport raises."""


class FaultyTransport(httpx.AsyncBaseTransport):
    """Passes calls on to `inner`, except those that `befall` picks.

    `befall(number, request)` gets the number of the call (from 0) and returns a fault or None.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, befall: Callable[[int, httpx.Request], Fault | None]) -> None:
        """Wrap `inner`."""
        self.inner = inner
        self.befall = befall
        self.calls = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        number = self.calls
        self.calls += 1
        fault = self.befall(number, request)
        return await (self.inner.handle_async_request(request) if fault is None else fault(request, self.inner))

    async def aclose(self) -> None:
        """Close the honest vendor."""
        await self.inner.aclose()


def throttled(retry_after: str | None = "1") -> Fault:
    """Return a 429 with this Retry-After: seconds, a date, absurd, negative, or none."""
    return _answer(429, headers={} if retry_after is None else {"retry-after": retry_after})


def broken(status: int = 503) -> Fault:
    """Return a proxy's page instead of an answer."""
    return _answer(status, content=b"<html><h1>no</h1></html>", headers={"content-type": "text/html"})


def failing_for_good(at: int, status: int = 422) -> Fault:
    """Refuse the call with the number `at` (from 0), and from then on each one by its method to its address.

    All calls go through it: what came before, and what goes elsewhere, is answered honestly.
    """
    numbers = count()
    refused_ones: set[tuple[str, str]] = set()
    refuse = _answer(status, content=b"{}", headers={"content-type": "application/json"})

    async def fault(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        one = (request.method, str(request.url))
        if next(numbers) == at:
            refused_ones.add(one)
        return await (refuse(request, inner) if one in refused_ones else inner.handle_async_request(request))

    return fault


def redirected(location: str = "http://127.0.0.1/") -> Fault:
    """Return a redirect, which must not be followed."""
    return _answer(302, headers={"location": location})


def half_an_answer() -> Fault:
    """Return 200 with JSON that breaks off."""
    return _answer(200, content=b'{"results": [{"id": "1"', headers={"content-type": "application/json"})


def gzip_bomb(megabytes: int = 64) -> Fault:
    """Return a small body that unpacks to `megabytes`."""
    body = gzip.compress(bytes(megabytes * 1024 * 1024))
    return _answer(200, content=body, headers={"content-encoding": "gzip"})


def silent() -> Fault:
    """Take the call and never answer; only a deadline ends it."""

    async def fault(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")

    return fault


def trickling() -> Fault:
    """Answer one byte at a time, for ever: each read succeeds, the call never ends."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async def fault(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        return httpx.Response(200, content=drip(), request=request)

    return fault


def refused() -> Fault:
    """Refuse the connection."""

    async def fault(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    return fault


def reply_lost() -> Fault:
    """Let the vendor do its work and lose the reply."""

    async def fault(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        answer = await inner.handle_async_request(request)
        await answer.aread()
        raise httpx.ReadError("connection reset", request=request)

    return fault


def _answer(status: int, *, content: bytes = b"", headers: dict[str, str] | None = None) -> Fault:
    async def fault(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        return httpx.Response(status, content=_once(content), headers=headers, request=request)

    return fault


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
