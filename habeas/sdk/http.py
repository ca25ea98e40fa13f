"""The HTTP client handed to processors: total deadline, decoded-size cap, no redirects, errors by what happens next."""

import asyncio
import json
import logging
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from habeas.sdk.errors import CredentialsRejected, ProcessorError, RetryLater

# A vendor's Retry-After is a wish: below a second it would hammer, above a day a person should look at it.
RETRY_AFTER_MIN = 1.0
RETRY_AFTER_MAX = 86_400.0

MOST_CONNECTIONS = 100  # at a time to one vendor
# Each idle connection is looked at in every call: the client's usual twenty took a fifth of a host's work. Where many
# calls are under way few connections are idle, so that four are enough.
IDLE_CONNECTIONS = 4

# No call is begun with less than this many seconds left, and each ends this much before the right to act does.
LEAST_TIME = 1.0

_time_left: ContextVar[Callable[[], float] | None] = ContextVar("habeas_time_left", default=None)


# httpx and httpcore log addresses, headers and bodies of every call: a subject's, and our token.
_LOUD = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")
_calling: ContextVar[bool] = ContextVar("habeas_calling", default=False)


def _quiet(_: logging.LogRecord) -> bool:
    """Let nothing be logged of a call that goes through `Http`; other users of httpx keep their logs."""
    return not _calling.get()


for _name in _LOUD:
    logging.getLogger(_name).addFilter(_quiet)


@contextmanager
def bounded_by(time_left: Callable[[], float]) -> Iterator[None]:
    """Let no `Http` call made within outlast `time_left()` seconds; the engine wraps every task in it."""
    token = _time_left.set(time_left)
    try:
        yield
    finally:
        _time_left.reset(token)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole: `status`, `headers` (lower-case names) and the decoded `body`."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> object:
        """Return the body as JSON; raise `RetryLater("unreadable_answer")` for a proxy's page or half a reply."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise RetryLater("unreadable_answer") from None


@dataclass(frozen=True, slots=True)
class Stream:
    """The head of an answer and its body as it comes: `chunks` are read once, before the `async with` ends."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    chunks: AsyncIterator[bytes] = field(repr=False)


class Http:
    """What every call of a processor goes through.

    `base_url`    the vendor's root, a setting, so that the same code meets a sandbox or the real vendor.
    `timeout`     seconds for a whole call, from connecting to the last byte of the body.
    `max_bytes`   bytes of the largest decoded body; a larger one raises `RetryLater("answer_too_large")`.
    `headers`     sent with each call. Vendors and what is on the way log them: nothing about a person belongs there.
    `before_call` awaited before each call; the host puts the processor's rate limit there.
    `transport`   what carries the calls; tests put one there that fails as networks do.

    The host makes one for each processor and hands it to `__init__`. Answers that mean "try later" (429, 408, 425, 5xx,
    no answer at all) raise `RetryLater`; 401 raises `CredentialsRejected`; all others are returned for the processor to
    judge, 403 among them: whether the credentials or the person is refused, only the vendor's own words tell. Redirects
    are never followed (a 3xx is an answer like any other), and settings of the machine, such as proxies, not heeded.
    """

    def __init__(
        self,
        *,
        base_url: str,
        timeout: float = 30.0,
        max_bytes: int = 16 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        before_call: Callable[[], Awaitable[None]] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Make a client; use it as an async context manager, or call `aclose`."""
        self.timeout = timeout
        self.max_bytes = max_bytes
        self._before_call = before_call
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=dict(headers or {}),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            verify=authorities(),
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=IDLE_CONNECTIONS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: object | None = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        params: Mapping[str, str] | tuple[tuple[str, str], ...] | None = None,
        headers: Mapping[str, str] | None = None,
        judge: Callable[[Answer], ProcessorError | None] | None = None,
    ) -> Answer:
        """Make one call and read its answer whole; see the class for what is raised.

        `path` goes behind `base_url`: quote what a person or a vendor chose in it (`urllib.parse.quote(ref, safe="")`).
        `json` is sent as JSON, `data` as a form, `content` as it is: at most one of them. `params` make the query,
        as pairs where a name comes more than once. `headers` are added to those of every call.

        `judge` is the vendor's own reading of an answer: the error that it returns is raised, before the general rule.
        """
        if self._before_call is not None:
            await self._before_call()
        request = self._client.build_request(
            method, path, json=json, data=data, content=content, params=params, headers=dict(headers or {})
        )
        with _told_apart():
            async with asyncio.timeout(_seconds(self.timeout)):
                response = await self._client.send(request, stream=True)
                answer = await self._read(response)
        _raise_for(answer, judge)
        return answer

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        judge: Callable[[Answer], ProcessorError | None] | None = None,
    ) -> AsyncIterator[Stream]:
        """Make one call and hand over its body as it comes, of any size: for files. Use it with `async with`.

        `timeout` bounds each wait for the vendor, not the whole. An answer other than success is read and judged as
        `call` does. The body is asked for unpacked, and one that is packed all the same raises
        `RetryLater("packed_answer")`; one that breaks off raises `RetryLater` from `chunks`.
        """
        if self._before_call is not None:
            await self._before_call()
        request = self._client.build_request(
            method, path, params=params, headers={"accept-encoding": "identity", **(headers or {})}
        )
        with _told_apart():
            async with asyncio.timeout(_seconds(self.timeout)):
                response = await self._client.send(request, stream=True)
        try:
            if response.is_success:
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise RetryLater("packed_answer")
                yield Stream(response.status_code, dict(response.headers), self._chunks(response))
                return
            with _told_apart():
                async with asyncio.timeout(_seconds(self.timeout)):
                    answer = await self._read(response)
            _raise_for(answer, judge)
            yield Stream(answer.status, answer.headers, _once(answer.body))
        finally:
            await response.aclose()

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        source = response.aiter_raw()
        while True:
            with _told_apart():
                async with asyncio.timeout(_seconds(self.timeout)):
                    chunk = await anext(source, None)
            if chunk is None:
                return
            yield chunk

    async def _read(self, response: httpx.Response) -> Answer:
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self.max_bytes:
                    raise RetryLater("answer_too_large")
            return Answer(response.status_code, dict(response.headers), bytes(body))
        finally:
            await response.aclose()


@contextmanager
def _told_apart() -> Iterator[None]:
    """Keep a call with the vendor out of the logs, and name what went wrong on the way."""
    calling = _calling.set(True)
    try:
        yield
    except TimeoutError:
        raise RetryLater("timeout") from None
    except httpx.HTTPError:
        # The text of a transport error quotes the address with its query: it stays out of every log.
        raise RetryLater("unreachable") from None
    finally:
        _calling.reset(calling)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _raise_for(answer: Answer, judge: Callable[[Answer], ProcessorError | None] | None) -> None:
    error = (judge(answer) if judge is not None else None) or _meaning(answer)
    if error is not None:
        raise error


@cache
def authorities() -> ssl.SSLContext:
    """Return whom every HTTPS client of the process trusts: to read the list takes longer than many a task."""
    return httpx.create_ssl_context(trust_env=False)


def _seconds(timeout: float) -> float:
    """Return how long a call may take now; raise `RetryLater("no_time_left")` when it should not begin."""
    left = _time_left.get()
    if left is None:
        return timeout
    seconds = min(timeout, left() - LEAST_TIME)
    if seconds < LEAST_TIME:
        raise RetryLater("no_time_left", after=0.0)
    return seconds


def _meaning(answer: Answer) -> ProcessorError | None:
    return CredentialsRejected() if answer.status == 401 else busy(answer.status, answer.headers)


def busy(status: int, headers: Mapping[str, str]) -> ProcessorError | None:
    """Return the `RetryLater` that an answer stands for, or None; `headers` has lower-case names."""
    if status == 429:
        return RetryLater("rate_limited", after=retry_after(headers.get("retry-after")))
    if status in (408, 425) or status >= 500:
        return RetryLater(f"http_{status}", after=retry_after(headers.get("retry-after")))
    return None


def retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 10.2.3: seconds or a date), within bounds.

    Absent or unreadable: None. Negative or past: the minimum. Absurd: the maximum.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - (now or datetime.now(UTC))).total_seconds()
    if math.isnan(seconds):  # "nan" parses as a float
        return None
    return min(max(seconds, RETRY_AFTER_MIN), RETRY_AFTER_MAX)
