"""The commands of the real process: migrate, serve with the kinds it ships, health and metrics, SIGTERM."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from habeas.local.ports import PortLease
from tests.integration.services.connectors.rig import Rig, until

ROOT = Path(__file__).parents[4]


@pytest.fixture
def port() -> Iterator[int]:
    """A port that no stack of this machine takes."""
    lease = PortLease()
    yield lease.take()
    lease.release()


async def test_the_real_process_serves_what_is_enrolled_and_stops_when_told(rig: Rig, port: int) -> None:
    await rig.enrol("crm", kind="hubspot")
    rig.write(rig.folder / "crm" / "settings.toml", 'base_url = "http://127.0.0.1:9"\n')
    child = await command(rig, "serve", HABEAS_HTTP_PORT=str(port))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await until(lambda: _answers(http, "/healthz/ready"))
            assert (await http.get("/healthz/live")).json()["status"] == "ok"
            assert "habeas_tasks_in_hand" in (await http.get("/metrics")).text
            for path in ("/docs", "/docs/try", "/openapi", "/openapi.json"):
                assert ((await http.get(path)).status_code, (await http.post(path)).status_code) == (404, 404), path
        await until(lambda: bool(rig.announced("crm")))
        assert rig.announced("crm")[0].kind == "hubspot"
    finally:
        child.terminate()
        _, errors = await child.communicate()
    assert child.returncode == 0
    events = [json.loads(line)["event"] for line in errors.splitlines()]
    assert events.count("service.ready") == 1


async def test_dead_letters_and_consumers_are_listed(rig: Rig) -> None:
    for verb in ("dead-letters", "consumers"):
        child = await command(rig, verb, "list")
        out, _ = await child.communicate()
        assert (child.returncode, json.loads(out)) == (0, [])


async def test_the_help_tells_how_to_serve_a_part_of_the_processors(rig: Rig) -> None:
    child = await command(rig, "--help")
    out, _ = await child.communicate()
    assert child.returncode == 0
    assert "--only a,b" in out.decode()


async def test_a_missing_setting_is_one_line(rig: Rig) -> None:
    child = await command(rig, "serve", HABEAS_LEASE_SECONDS="soon")
    _, errors = await child.communicate()
    assert child.returncode == 2
    assert errors.decode().startswith("HABEAS_LEASE_SECONDS: ")
    assert errors.count(b"\n") == 1


async def command(rig: Rig, *arguments: str, **more: str) -> asyncio.subprocess.Process:
    own = {
        "HABEAS_NAMESPACE": rig.namespace,
        "HABEAS_ENVIRONMENT": "test",
        "HABEAS_DATABASE_URL": rig.url,
        "HABEAS_KAFKA_BOOTSTRAP": rig.bootstrap,
        "HABEAS_KEY_FILE": str(rig.key_file),
        "HABEAS_PROCESSORS_DIR": str(rig.folder),
        "HABEAS_HTTP_PORT": "0",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.connectors",
        *arguments,
        cwd=ROOT,
        env=os.environ | own | more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _answers(http: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await http.get(path)).status_code == 200
    except httpx.TransportError:
        return False


pytestmark = pytest.mark.timeout(90)
