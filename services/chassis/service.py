"""Runs the parts of a service until it is told to stop, and stops them within bounds."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn

from services.chassis.failure import Failure
from services.chassis.log import describe, get_logger

log = get_logger(__name__)

STOP_WITHIN = 12.0
KEEP_ALIVE = 75  # seconds; longer than clients and proxies keep a connection that nobody uses: they close it, not we


@dataclass(frozen=True, slots=True)
class Part:
    """Something that runs as long as the service does; it must not end by itself."""

    name: str
    run: Callable[[], Awaitable[None]]


class HttpServer:
    """uvicorn inside our own event loop, with our own signals."""

    def __init__(self, app: Any, *, host: str, port: int) -> None:
        """Serve `app` at `host:port`."""
        config = uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off", loop="none",
            timeout_graceful_shutdown=5, timeout_keep_alive=KEEP_ALIVE, server_header=False,
            h11_max_incomplete_event_size=64 * 1024,
        )  # fmt: skip
        self._place = (host, port)
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]

    @property
    def started(self) -> bool:
        """Whether it listens."""
        return self._server.started

    async def run(self) -> None:
        """Serve until cancelled, then let the answers at hand go out; raise `Failure` where it cannot listen."""
        # uvicorn, where it cannot, ends the process without a reason.
        serving = asyncio.create_task(self._server.serve(sockets=[_listen(*self._place)]))
        telling = asyncio.create_task(self._tell())
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            await serving
            raise
        finally:
            telling.cancel()

    async def _tell(self) -> None:
        while not self._server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        ports = [one.getsockname()[1] for server in self._server.servers for one in server.sockets]
        log.info("service.ready", port=ports[0] if ports else None)


async def run(parts: Sequence[Part]) -> bool:
    """Run `parts` until SIGTERM or SIGINT (True), or until one fails or ends (False).

    Raises the `Failure` of a part that knows what is to be done about it.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = {asyncio.create_task(_run(part), name=part.name): part for part in parts}
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    asked = stop.is_set()
    if not asked:
        for task, part in tasks.items():
            if task.done():
                error = task.exception()
                log.error("service.part_ended", part=part.name, error=describe(error) if error else "ended")
    stopping.cancel()
    for task in tasks:
        task.cancel()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_WITHIN):
            await asyncio.gather(*tasks, return_exceptions=True)
    for failure in () if asked else (task.exception() for task in tasks if task.done() and not task.cancelled()):
        if isinstance(failure, Failure):
            raise failure
    return asked


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        mend = "choose another with HABEAS_HTTP_PORT"
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            mend = "choose an address of this machine with HABEAS_HTTP_HOST"
        why = error.strerror if isinstance(error, socket.gaierror) or error.errno is None else os.strerror(error.errno)
        msg = f"HTTP cannot be served at {host}:{port} ({why}): {mend}"
        raise Failure(msg) from None


async def _run(part: Part) -> None:
    await part.run()
