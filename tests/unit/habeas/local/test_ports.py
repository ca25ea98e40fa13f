"""Ports are held, kept apart from outgoing connections, and named with their holder when taken."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from habeas.local import ports
from habeas.local.errors import LocalStackError
from habeas.local.ports import PortLease
from tests.conftest import QUIET_PORTS


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, quiet_ports: range) -> None:
    monkeypatch.setattr(ports, "PATIENCE", 0.0)


@pytest.mark.parametrize("choice", [ports.CHOICE, QUIET_PORTS])
def test_free_ports_are_below_those_of_outgoing_connections(choice: range) -> None:
    lowest_outgoing = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not lowest_outgoing.exists():
        pytest.skip("this system does not say which ports it gives to outgoing connections")
    assert max(choice) < int(lowest_outgoing.read_text().split()[0])


def test_a_free_port_is_one_of_those_that_are_ours(tmp_path: Path) -> None:
    port = PortLease(tmp_path).take()
    assert port in ports.CHOICE
    assert ports.is_free(port)


def test_two_leases_never_hold_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = ports.CHOICE[:3]
    monkeypatch.setattr(ports, "CHOICE", few)
    first, second = PortLease(tmp_path), PortLease(tmp_path)
    held = {first.take(), second.take(), first.take()}
    assert held == set(few)
    with pytest.raises(LocalStackError, match=f"No port from {few[0]} to {few[-1]} is free"):
        second.take()
    first.release()
    assert second.take() in held


def test_a_port_that_another_stack_holds_is_refused(tmp_path: Path) -> None:
    port = PortLease(tmp_path).take()
    with pytest.raises(LocalStackError, match=f"Port {port}, wanted for Kafka, is taken by .*; stop that or choose"):
        PortLease(tmp_path).take(port, purpose="Kafka")


def test_a_lease_may_ask_again_for_what_it_holds(tmp_path: Path) -> None:
    lease = PortLease(tmp_path)
    assert lease.take(lease.take()) in ports.CHOICE


def test_a_port_that_a_stranger_listens_on_is_refused_with_the_strangers_name(tmp_path: Path) -> None:
    port = PortLease(tmp_path / "a").take()
    with listening(port), pytest.raises(LocalStackError, match=rf"taken by .+ \(process {os.getpid()}\)"):
        PortLease(tmp_path / "b").take(port)


def test_a_port_comes_free_when_its_holder_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = "import sys; from pathlib import Path; from habeas.local.ports import PortLease\n"
    hold += "print(PortLease(Path(sys.argv[1])).take(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        with pytest.raises(LocalStackError):
            PortLease(tmp_path).take(port)
        holder.kill()
    monkeypatch.setattr(ports, "PATIENCE", 10.0)
    assert PortLease(tmp_path).take(port) == port
