"""The guard that keeps offline tests on this machine does refuse, for plain and for awaited sockets."""

import asyncio
import socket

import pytest

from tests.network import NetworkRefused, is_local

ELSEWHERE = "192.0.2.1"  # TEST-NET-1, RFC 5737: routed nowhere


def test_a_plain_socket_cannot_leave() -> None:
    with socket.socket() as plain, pytest.raises(NetworkRefused):
        plain.connect((ELSEWHERE, 80))


async def test_an_awaited_connection_cannot_leave() -> None:
    with pytest.raises(NetworkRefused):
        await asyncio.open_connection(ELSEWHERE, 80)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("vendor.example", 443)


async def test_loopback_is_open() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), (b"localhost", True), ("10.0.0.1", False), ("x", False)],
)
def test_which_hosts_are_this_machine(host: object, local: bool) -> None:
    assert is_local(host) is local
