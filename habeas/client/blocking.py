"""The client for ordinary code: every call waits for its answer."""

import time
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel

from habeas.client.exchange import NoAnswer, Pause, Step, Steps, Told, exchange, opened, settle
from habeas.client.groups import Blocking, Consumers, DeadLetters, Processors, Requests, Tasks
from habeas.client.models import Page, Request
from habeas.client.operations import Download, Operation, page_after
from habeas.client.retries import Retries
from habeas.client.transport import DIRECT, TIMEOUT, headers, prepare, prepare_download

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Habeas:
    """Client of the HTTP API; safe to share between threads.

    `url`       where the orchestrator listens, such as `https://habeas.example.com`.
    `key`       an API key (`hab_...`); shown nowhere.
    `timeout`   seconds for one try of a call.
    `retries`   how patient it is with a busy or absent server.

    Calls raise a `HabeasError`: `HabeasProblem` when the server refused, `Unreachable` when it did not answer.

    >>> from habeas.client import Habeas, NewRequest
    >>> with Habeas("http://127.0.0.1:8080", key=os.environ["HABEAS_API_KEY"]) as habeas:
    ...     request = habeas.requests.file(
    ...         NewRequest("erasure", {"email": "jane@example.com"}, contact="jane@example.com", language="nl")
    ...     )
    ...     print(habeas.wait_until_settled(request.id, timeout=60).outcome.headline)
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make a client; nothing is sent yet. `transport` and `sleep` are for tests."""
        self.url = url.rstrip("/")
        self._retries = retries or Retries()
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=self.url, headers=headers(key), timeout=timeout, transport=transport, mounts=DIRECT
        )
        self.requests: Requests[Blocking] = Requests(self)
        self.tasks: Tasks[Blocking] = Tasks(self)
        self.processors: Processors[Blocking] = Processors(self)
        self.dead_letters: DeadLetters[Blocking] = DeadLetters(self)
        self.consumers: Consumers[Blocking] = Consumers(self)

    def __repr__(self) -> str:
        """Show the address alone."""
        return f"Habeas({self.url!r})"

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def wait_until_settled(self, request_id: str, *, timeout: float = 60.0) -> Request:
        """Return the request once it is over; raise `NotSettledInTime` after `timeout` seconds of waiting.

        >>> habeas.wait_until_settled(request.id, timeout=30).outcome.headline
        <Headline.FULFILLED: 'fulfilled'>
        """
        return self._run(settle(request_id, timeout=timeout, retries=self._retries, where=self.url))

    def send(self, operation: Operation[M]) -> M:
        """Carry an operation out and return its answer."""
        return self._run(exchange(operation, retries=self._retries, where=self.url))

    def each(self, operation: Operation[Page[T]]) -> Iterator[T]:
        """Go through a list; each page is fetched when it is needed."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.send(page_after(operation, cursor) if cursor else operation)
            yield from page.data
            cursor = page.next_cursor

    def open(self, download: Download) -> httpx.Response:
        """Return the answer to a download, its body unread."""
        return self._run(opened(download, retries=self._retries, where=self.url))

    def _run(self, steps: Steps[T]) -> T:
        told: Told = None
        while True:
            try:
                step = steps.send(told)
            except StopIteration as end:
                answer: T = end.value
                return answer
            told = self._do(step)

    def _do(self, step: Step) -> Told:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        try:
            if isinstance(step, Download):
                return self._begin(step)
            return self._http.send(prepare(self._http, step))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return NoAnswer(type(error).__name__)

    def _begin(self, download: Download) -> httpx.Response:
        response = self._http.send(prepare_download(self._http, download), stream=True)
        if not response.is_success:
            response.read()
        return response
