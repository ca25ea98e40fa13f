"""Brings up the whole of Habeas with processors that answer at once, and nothing else enrolled."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from habeas.local import places
from habeas.local.enrolment import Enroller, Wanted, sandbox_processors, write_settings
from habeas.local.stack import Stack
from tests.bench.processes import cpu_seconds, family_mib, resident_mib
from tests.plain import HTTP

PROCESSORS = ("instant-a", "instant-b", "instant-c", "instant-d")
SERVICES = ("orchestrator", "connectors", "notifier")

# What an installed distribution leaves behind: the catalogue of the connector host finds the kind by it.
_METADATA = "Metadata-Version: 2.1\nName: habeas-bench\nVersion: 1\n"
_ENTRY_POINTS = "[habeas.processors]\ninstant = tests.bench.instant\n"


class Stage:
    """A running stack; `pids` are its processes by name."""

    def __init__(self, stack: Stack) -> None:
        """Look at `stack`, whose servers are its own."""
        if stack.postgres is None or stack.kafka is None:
            raise RuntimeError(
                "the bench needs servers of its own: unset HABEAS_POSTGRES_URL and HABEAS_KAFKA_BOOTSTRAP"
            )
        self.stack = stack
        self._postgres = stack.postgres
        self._kafka = stack.kafka

    @property
    def pids(self) -> dict[str, int]:
        """The processes whose time counts, by name."""
        found = {name: self.stack.services[name].pid for name in SERVICES}
        found |= {"postgresql": self._postgres.pid, "kafka": self._kafka.pid}
        return {name: pid for name, pid in found.items() if pid is not None}

    def cpu(self) -> Mapping[str, float]:
        """Return the CPU seconds that each part has used so far."""
        return {name: cpu_seconds(pid) for name, pid in self.pids.items()}

    def memory(self) -> Mapping[str, float]:
        """Return the memory of each part in MiB."""
        return {name: resident_mib(pid) if name in SERVICES else family_mib(pid) for name, pid in self.pids.items()}


@contextmanager
def stage(home: Path) -> Iterator[Stage]:
    """Bring everything up in `home`, enrol the instant processors, retire the sandbox's; take it down in the end."""
    root = places.import_root()
    extra = {"PYTHONPATH": os.pathsep.join((str(root), str(_distribution(home / "distribution"))))}
    with Stack(home, extra=extra) as stack:
        _enrol(stack)
        yield Stage(stack)


def _distribution(folder: Path) -> Path:
    information = folder / "habeas_bench-1.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text(_METADATA)
    (information / "entry_points.txt").write_text(_ENTRY_POINTS)
    return folder


def _enrol(stack: Stack) -> None:
    with Enroller(stack.url, stack.key) as admin:
        for name in PROCESSORS:
            wanted = Wanted(id=name, kind="instant", settings={"label": name}, secrets={})
            write_settings(stack.home, wanted)
            admin.enrol(stack.home, wanted)
        admin.wait_until_announced(set(PROCESSORS))
    for processor in sandbox_processors(stack.ports, stack.home):
        _retire(stack, processor.id)
        shutil.rmtree(stack.home.processors / processor.id)
    time.sleep(2.0)  # the connector host looks at its folders every second


def _retire(stack: Stack, processor: str) -> None:
    answer = HTTP.post(
        f"{stack.url}/v1/processors/{processor}/retire",
        json={"reason": "the bench measures without it"},
        headers={"Authorization": f"Bearer {stack.key}"},
    )
    answer.raise_for_status()
