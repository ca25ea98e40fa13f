"""A service runs its parts side by side, and says why it cannot."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import httpx
import pytest

from services.chassis.failure import Failure
from services.chassis.health import Health, health_app
from services.chassis.service import HttpServer, Part, run
from tests.waiting import until


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine that somebody else listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def serving(host: str, port: int) -> HttpServer:
    return HttpServer(health_app(Health()), host=host, port=port)


async def ends() -> None:
    """End, which no part may."""


async def breaks() -> None:
    raise ZeroDivisionError


async def test_a_taken_port_is_told_with_what_to_do(taken: int) -> None:
    told = rf"127\.0\.0\.1:{taken} \(.*in use\): choose another with HABEAS_HTTP_PORT"
    with pytest.raises(Failure, match=told):
        await run([Part("http", serving("127.0.0.1", taken).run), Part("waits", asyncio.Event().wait)])  # type: ignore[arg-type]


async def test_an_address_of_another_machine_is_told_with_what_to_do() -> None:
    host = "192.0.2.1"  # of documentation alone
    with pytest.raises(Failure, match=rf"{host}.*: choose an address of this machine with HABEAS_HTTP_HOST"):
        await run([Part("http", serving(host, 0).run)])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_serves_until_it_is_told_to_stop(host: str) -> None:
    server = serving(host, 0)
    running = asyncio.create_task(run([Part("http", server.run)]))

    async def started() -> bool:
        return server.started

    await until(started)
    port = server._server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        shown = f"[{host}]" if ":" in host else host
        assert (await client.get(f"http://{shown}:{port}/healthz/live")).status_code == 200
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running is True


def test_a_connection_that_nobody_uses_is_closed_by_the_client_and_never_as_it_calls_again() -> None:
    kept = httpx.Client(trust_env=False)._transport._pool._keepalive_expiry  # type: ignore[attr-defined]
    assert kept < serving("127.0.0.1", 0)._server.config.timeout_keep_alive


@pytest.mark.parametrize("part", [ends, breaks])
async def test_a_part_that_ends_by_itself_ends_the_service(part: object, caplog: pytest.LogCaptureFixture) -> None:
    assert await run([Part("probe", part), Part("waits", asyncio.Event().wait)]) is False  # type: ignore[arg-type]
    (told,) = (getattr(one, "habeas", {}) for one in caplog.records if one.message == "service.part_ended")
    assert told == {"part": "probe", "error": "ended" if part is ends else "ZeroDivisionError"}
