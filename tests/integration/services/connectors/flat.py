"""A process that exports 200 MB from each of several processors at once and says by how much it grew at most.

`python -m tests.integration.services.connectors.flat URL` prints JSON: bytes of growth while writing and while reading,
over what it held once everything was imported and a small export had been made. Linux alone can tell. `ENDPOINT` is
where a bucket is found; `AT_A_TIME` reads pieces of another size, to see that the growth is noticed.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from pydantic import BaseModel, SecretStr

from contracts import ids
from contracts.exports import path_of
from habeas.engine import ExportReceipt, Settled, work
from habeas.sdk import Action, Context, File, Http, Identity, IdentityType, Item, Processor, Record, Right, Task
from habeas.testing import MemoryLedger
from services.chassis import objects
from services.chassis.clock import SystemClock
from services.chassis.command import leave
from services.chassis.exports import ExportedFile, ExportReader
from services.chassis.object_settings import S3Options, open_store
from services.connectors.host.exports import AttemptExports, Place
from tests.integration.services.connectors.vendor import CATEGORY, manifest

AT_ONCE = 3
CHUNK = os.urandom(64_000)
RECORD_TEXT = "x" * 20_000
KEY = bytes(range(32))
SUBJECT = Identity(IdentityType.CUSTOMER_ID, "c-1")


class Settings(BaseModel):
    """None are needed."""


class Big(Processor[Settings]):
    """Yields half of `size` bytes as records, half as one file."""

    def __init__(self, size: int) -> None:
        super().__init__(config=Settings(), http=Http(base_url="", timeout=30.0))
        self._size = size

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        yield Item("r1", CATEGORY, SUBJECT)

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            yield item

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for number in range(self._size // 2 // len(RECORD_TEXT)):
            yield Record(items[0], {"number": number, "text": RECORD_TEXT})
        yield File(items[0], "application/octet-stream", self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        for _ in range(self._size // 2 // len(CHUNK)):
            yield CHUNK


class Memory(MemoryLedger):
    """The memory of a task that may export."""

    async def exporting(self) -> None:
        """Remember nothing: what is lost with this process is deleted with its folder."""


async def export(place: Place, size: int) -> tuple[str, ExportReceipt]:
    """Carry out an export as the host does; return its task and what was written."""
    task = Task(
        id=ids.new("tsk"),
        request_id=ids.new("req"),
        processor="big",
        action=Action.EXPORT,
        right=Right.ACCESS,
        identities=(SUBJECT,),
    )
    memory = Memory()
    async with AttemptExports(place, task.id, 1, KEY, memory) as exports:
        verdict = await work(
            task,
            processor=Big(size),
            manifest=manifest(timeouts={"call": 30, "attempt": 600}),
            ledger=memory,
            clock=SystemClock(),
            exports=exports,
        )
    assert isinstance(verdict, Settled)
    assert verdict.export is not None
    return task.id, replace(verdict.export)


async def read(place: Place, task_id: str, receipt: ExportReceipt) -> int:
    """Return the bytes of the files that were exported."""
    total = 0
    stored = place.store.read(path_of(task_id, receipt.attempt))
    async for thing in ExportReader(stored, KEY):
        if isinstance(thing, ExportedFile):
            async for chunk in thing.chunks:
                total += len(chunk)
    return total


def high_water() -> int:
    """Return the most memory that this process ever held, in bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


async def main(url: str, size: int) -> dict[str, int]:
    options = S3Options(
        endpoint=os.environ.get("ENDPOINT"),
        region="eu-west-1",
        access_key=SecretStr("tester"),
        secret_key=SecretStr("made-up"),
        path_style=True,
        allow_http=True,
    )
    objects.READ = int(os.environ.get("AT_A_TIME", objects.READ))
    place = Place.of(open_store(url, options))
    assert place is not None
    task_id, receipt = await export(place, 2_000_000)
    await read(place, task_id, receipt)
    idle = psutil.Process().memory_info().rss
    made = await asyncio.gather(*(export(place, size) for _ in range(AT_ONCE)))
    wrote = high_water() - idle
    assert all(receipt.size > size * 0.99 for _, receipt in made)
    total = await read(place, *made[0])
    assert total > size * 0.49
    for task_id, _ in made:
        await place.store.delete_folder(f"exports/{task_id}/")
    return {"writing": wrote, "reading": high_water() - idle}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
    leave(0)
