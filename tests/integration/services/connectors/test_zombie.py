"""A host that was stopped past its lease, and wakes when another has done its work, does nothing more to the vendor."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from habeas.vocabulary import Checked, Disposition
from tests.integration.services.connectors.process import LEDGER, RECORDS
from tests.integration.services.connectors.rig import Rig, until
from tests.integration.services.connectors.test_crashing import process

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_wakes_before_its_effect_when_its_lease_is_over(rig: Rig, tmp_path: Path) -> None:
    """The other points are tried on whole stacks, by `make test-kill`."""
    await rig.enrol("files", kind="folder")
    rig.write(rig.folder / "files" / "settings.toml", f'vendor = "{tmp_path}"\n')
    (rig.folder / "files" / "secrets" / "token").unlink()
    records, log = tmp_path / RECORDS, tmp_path / "log"
    records.mkdir()
    for name in ("c-1.1", "c-1.2", "c-2.1"):
        (records / name).touch()
    sent = await rig.send(rig.message("files", "c-1"))
    stops = {"HABEAS_FAULTPOINT": "worker.before_effect:stop", "HABEAS_LOG_LEVEL": "warning"}
    async with process(rig, log=log, **stops) as zombie:
        await until(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_STOPPED)
        async with process(rig, HABEAS_INSTANCE="1"):
            answer = await rig.settled(sent)
            (records / "c-1.1").touch()  # what came after the answer is another request's
            zombie.send_signal(signal.SIGCONT)
            await until(lambda: "worker.was_given_up" in told(log))
    assert (tmp_path / LEDGER).read_text().split() == ["c-1.1", "c-1.2"]
    assert sorted(file.name for file in records.iterdir()) == ["c-1.1", "c-2.1"]
    assert [(one.disposition, one.count, one.checked) for one in answer.outcome.lines] == [
        (Disposition.ERASED, 2, Checked.VERIFIED)
    ]
    assert await rig.settled(sent) == answer


def told(log: Path) -> list[str]:
    """Return the events that a host has logged."""
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]
