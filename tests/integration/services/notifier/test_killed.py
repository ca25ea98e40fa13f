"""The process is killed between claim, hand-over and result: no notice is lost, and none is silently sent twice."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.services.notifier.conftest import WITHIN, World, due
from tests.waiting import until

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def process(world: World, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the notifier as it is run for real; afterwards it is stopped, and its log holds no person."""
    environment = {**os.environ, **world.environment(**more)}
    log = world.folder / "log"
    with log.open("ab") as file:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.notifier", "serve", cwd=ROOT, env=environment, stderr=file
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
            await asyncio.wait_for(child.wait(), WITHIN)
    lines = log.read_text().splitlines()
    assert all(json.loads(line) for line in lines)
    assert not [line for line in lines if "example.com" in line or "jane" in line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "state", "mails"),
    [
        ("notifier.claimed", "sent", 1),
        ("notifier.handing_over", "unknown", 0),
        ("notifier.accepted", "unknown", 1),
        ("notifier.recorded", "sent", 1),
    ],
)
async def test_killed_at(world: World, point: str, state: str, mails: int) -> None:
    notice = due()
    async with process(world, HABEAS_FAULTPOINT=f"{point}:kill") as child:
        await world.publish(notice)
        assert await asyncio.wait_for(child.wait(), WITHIN) == -signal.SIGKILL
    await world.end_leases()
    async with process(world) as child, world.deliveries() as reports:
        await until(lambda: len(reports) >= 1)
        assert await world.state(notice) == state
        assert {body["type"] for _, body in reports} == {state}
        child.terminate()
        assert await asyncio.wait_for(child.wait(), WITHIN) == 0
    assert len(world.mail.mails) == mails
