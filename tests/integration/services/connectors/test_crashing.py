"""A host is killed at any point of its work: another goes on, the effect happens once, the answer is the right one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import pytest

from contracts.exports import path_of
from habeas.vocabulary import Action, Checked, Disposition
from tests.integration.services.connectors.process import LEDGER, RECORDS
from tests.integration.services.connectors.rig import WITHIN, Rig, until

ROOT = Path(__file__).parents[4]
POINTS = [
    "worker.leased",
    "worker.located",
    "worker.before_effect",
    "worker.effect_done",
    "worker.results_stored",
    "worker.settled",
]

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at(rig: Rig, point: str, tmp_path: Path) -> None:
    await rig.enrol("files", kind="folder")
    rig.write(rig.folder / "files" / "settings.toml", f'vendor = "{tmp_path}"\n')
    (rig.folder / "files" / "secrets" / "token").unlink()
    records = tmp_path / RECORDS
    records.mkdir()
    for name in ("c-1.1", "c-1.2", "c-2.1"):
        (records / name).touch()
    sent = await rig.send(rig.message("files", "c-1"))
    async with process(rig, HABEAS_FAULTPOINT=f"{point}:kill") as doomed:
        assert await asyncio.wait_for(doomed.wait(), WITHIN) == -9
    async with process(rig):
        answer = await rig.settled(sent)
    assert (tmp_path / LEDGER).read_text().split() == ["c-1.1", "c-1.2"]
    assert [file.name for file in records.iterdir()] == ["c-2.1"]
    assert [(one.disposition, one.count, one.checked) for one in answer.outcome.lines] == [
        (Disposition.ERASED, 2, Checked.VERIFIED)
    ]


@pytest.mark.parametrize("point", ["worker.located", "exports.begun", "exports.written", "worker.settled"])
async def test_killed_amid_an_export(rig: Rig, point: str, tmp_path: Path) -> None:
    await rig.enrol("files", kind="folder")
    rig.write(rig.folder / "files" / "settings.toml", f'vendor = "{tmp_path}"\n')
    (rig.folder / "files" / "secrets" / "token").unlink()
    (tmp_path / RECORDS).mkdir()
    (tmp_path / RECORDS / "c-1.1").touch()
    sent = await rig.send(rig.message("files", "c-1", action=Action.EXPORT))
    async with process(rig, HABEAS_FAULTPOINT=f"{point}:kill") as doomed:
        assert await asyncio.wait_for(doomed.wait(), WITHIN) == -9
    async with process(rig):
        answer = await rig.settled(sent)
        assert answer.export is not None
        path = path_of(sent.id, answer.export.attempt)
        await until(lambda: rig.stored() == [path])
    assert (answer.export.records, answer.export.files) == (1, 1)
    assert (rig.exports / path).stat().st_size == answer.export.size


async def test_sigterm_lets_the_task_at_hand_finish(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    running = await rig.start()
    sent = await rig.send(rig.message("crm", "c-1"))
    await until(lambda: vendor.arrived == 1)
    stopping = asyncio.create_task(running.stop())
    await asyncio.sleep(0)
    vendor.gate.set()
    await stopping
    assert await rig.state(sent) == "settled"
    assert await rig.rows("SELECT id FROM workers") == []


async def test_what_can_not_be_finished_in_time_waits_for_its_lease(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    running = await rig.start(finish_within=0.0)
    sent = await rig.send(rig.message("crm", "c-1"))
    await until(lambda: vendor.arrived == 1)
    await running.stop()
    (row,) = await rig.rows("SELECT holder IS NOT NULL AS held FROM tasks")
    assert row["held"], "its last call may still be under way"
    vendor.gate.set()
    await rig.end_leases()
    async with rig.host():
        answer = await rig.settled(sent)
    assert answer.attempts == 2
    assert vendor.effects == ["r1"]


@asynccontextmanager
async def process(rig: Rig, *, log: Path | None = None, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a host as a process until the block ends; it logs to the terminal, or to `log`."""
    own = {
        "HABEAS_NAMESPACE": rig.namespace,
        "HABEAS_ENVIRONMENT": "test",
        "HABEAS_DATABASE_URL": rig.url,
        "HABEAS_KAFKA_BOOTSTRAP": rig.bootstrap,
        "HABEAS_KAFKA_SESSION_TIMEOUT": "6",
        "HABEAS_KEY_FILE": str(rig.key_file),
        "HABEAS_PROCESSORS_DIR": str(rig.folder),
        "HABEAS_EXPORTS_URL": rig.exports.as_uri(),
        "HABEAS_HTTP_PORT": "0",
        "HABEAS_LEASE_SECONDS": "3",
        "HABEAS_LOG_LEVEL": "error",
    }
    command = ("-m", "tests.integration.services.connectors.process")
    with log.open("ab") if log else nullcontext() as stderr:
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=ROOT, env=os.environ | own | more, stderr=stderr
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
