"""The client for asyncio: the same calls as the blocking one, awaited."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel

from habeas.client.exchange import NoAnswer, Pause, Step, Steps, Told, exchange, opened, settle
from habeas.client.groups import Awaited, Consumers, DeadLetters, Processors, Requests, Tasks
from habeas.client.models import Page, Request
from habeas.client.operations import Download, Operation, page_after
from habeas.client.retries import Retries
from habeas.client.transport import DIRECT, TIMEOUT, headers, prepare, prepare_download

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class AsyncHabeas:
    """Client of the HTTP API for asyncio; parameters and errors as `Habeas`.

    >>> from habeas.client import AsyncHabeas, NewRequest
    >>> async with AsyncHabeas("http://127.0.0.1:8080", key=os.environ["HABEAS_API_KEY"]) as habeas:
    ...     request = await habeas.requests.file(NewRequest("access", {"customer_id": "c-42"}))
    ...     async for entry in habeas.requests.timeline(request.id):
    ...         print(entry.at, entry.type)
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make a client; nothing is sent yet. `transport` and `sleep` are for tests."""
        self.url = url.rstrip("/")
        self._retries = retries or Retries()
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=headers(key), timeout=timeout, transport=transport, mounts=DIRECT
        )
        self.requests: Requests[Awaited] = Requests(self)
        self.tasks: Tasks[Awaited] = Tasks(self)
        self.processors: Processors[Awaited] = Processors(self)
        self.dead_letters: DeadLetters[Awaited] = DeadLetters(self)
        self.consumers: Consumers[Awaited] = Consumers(self)

    def __repr__(self) -> str:
        """Show the address alone."""
        return f"AsyncHabeas({self.url!r})"

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def wait_until_settled(self, request_id: str, *, timeout: float = 60.0) -> Request:
        """Return the request once it is over; raise `NotSettledInTime` after `timeout` seconds of waiting."""
        return await self._run(settle(request_id, timeout=timeout, retries=self._retries, where=self.url))

    async def send(self, operation: Operation[M]) -> M:
        """Carry an operation out and return its answer."""
        return await self._run(exchange(operation, retries=self._retries, where=self.url))

    async def each(self, operation: Operation[Page[T]]) -> AsyncIterator[T]:
        """Go through a list; each page is fetched when it is needed."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self.send(page_after(operation, cursor) if cursor else operation)
            for item in page.data:
                yield item
            cursor = page.next_cursor

    async def open(self, download: Download) -> httpx.Response:
        """Return the answer to a download, its body unread."""
        return await self._run(opened(download, retries=self._retries, where=self.url))

    async def _run(self, steps: Steps[T]) -> T:
        told: Told = None
        while True:
            try:
                step = steps.send(told)
            except StopIteration as end:
                answer: T = end.value
                return answer
            told = await self._do(step)

    async def _do(self, step: Step) -> Told:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        try:
            if isinstance(step, Download):
                return await self._begin(step)
            return await self._http.send(prepare(self._http, step))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return NoAnswer(type(error).__name__)

    async def _begin(self, download: Download) -> httpx.Response:
        response = await self._http.send(prepare_download(self._http, download), stream=True)
        if not response.is_success:
            await response.aread()
        return response
