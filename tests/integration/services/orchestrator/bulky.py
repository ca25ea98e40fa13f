"""A process that makes the package of several large exports and says by how much it grew at most.

`python -m tests.integration.services.orchestrator.bulky write FOLDER BYTES PROCESSOR ...` lays a small export and one
of that many bytes down for each processor; another process, with `make FOLDER`, prints JSON: bytes of growth over what
it held once a small package had been made. `AT_A_TIME` reads pieces of another size, to see that the growth is noticed.
Linux alone can tell.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import psutil

from contracts.exports import ExportReceipt, path_of
from habeas.vocabulary import Language
from services.chassis import objects
from services.chassis.command import leave
from services.chassis.exports import ExportWriter
from services.chassis.object_settings import open_store
from services.chassis.objects import ObjectStore
from services.orchestrator.views.package.assembling import assemble, inventories
from services.orchestrator.views.package.contents import Package
from services.orchestrator.views.package.sources import Source

KEY = bytes(range(32))
CHUNK = os.urandom(64_000)
TEXT = "=cmd; x" * 3_000
SMALL = 4_000_000


def contents(writer: ExportWriter, size: int) -> Iterable[bytes]:
    """Half of `size` bytes as records of two categories, half as one file."""
    for number in range(size // 2 // len(TEXT)):
        yield from writer.record("odd" if number % 2 else "even", {"number": number, "inner": {"text": TEXT}})
    yield from writer.file("files", "application/octet-stream")
    for _ in range(size // 2 // len(CHUNK)):
        yield from writer.data(CHUNK)
    yield from writer.file_end()
    yield from writer.end()


async def export(store: ObjectStore, processor: str, size: int) -> Source:
    """Write an export of about `size` bytes."""
    task = f"tsk_{processor}_{size}"
    writer = ExportWriter(KEY)
    async with store.upload(path_of(task, 1)) as upload:
        for piece in contents(writer, size):
            await upload.write(piece)
        await upload.commit()
    return Source(task, processor, writer.receipt(1), KEY)


async def make(store: ObjectStore, sources: list[Source]) -> int:
    """Make a package and return how large it is."""
    package = Package(
        request="req_1",
        language=Language.ENGLISH,
        livemode=True,
        received_on=date(2026, 1, 1),
        answered_on=date(2026, 1, 2),
        created_at=datetime.now(UTC),
        controller="Example",
        country="NL",
        headline=None,
        recipients=[],
        sources=sources,
    )
    found = await inventories(store, package)
    return sum([len(piece) async for piece in assemble(store, package, found)])


def high_water() -> int:
    """Return the most memory that this process ever held, in bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


async def write(folder: Path, size: int, processors: list[str]) -> None:
    """Lay a small and a large export down for each processor."""
    store = open_store(folder.as_uri())
    made = [[await export(store, one, bulk) for one in processors] for bulk in (SMALL, size)]
    told = [[(one.task, one.processor, one.receipt.model_dump()) for one in sources] for sources in made]
    (folder / "told.json").write_text(json.dumps(told))


async def measure(folder: Path) -> dict[str, int]:
    """Return by how much making the large package grew this process, and how large the package was."""
    store = open_store(folder.as_uri())
    small, large = [
        [Source(task, processor, ExportReceipt.model_validate(receipt), KEY) for task, processor, receipt in sources]
        for sources in json.loads((folder / "told.json").read_text())
    ]
    await make(store, small)
    idle = psutil.Process().memory_info().rss
    objects.READ = int(os.environ.get("AT_A_TIME", objects.READ))
    total = await make(store, large)
    return {"growth": high_water() - idle, "bytes": total}


if __name__ == "__main__":
    if sys.argv[1] == "write":
        asyncio.run(write(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
    else:
        print(json.dumps(asyncio.run(measure(Path(sys.argv[2])))))
    leave(0)
