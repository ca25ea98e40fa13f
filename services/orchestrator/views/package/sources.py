"""Where the contents of a package lie: exports of processors, opened and read again by a stream."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from contracts.exports import ExportReceipt, path_of
from services.chassis.exports import BrokenExport, ExportedFile, ExportedRecord, ExportReader
from services.chassis.objects import ObjectMissing
from services.orchestrator.views.package.cells import Columns


class Objects(Protocol):
    """The object storage."""

    def read(self, path: str) -> AsyncIterator[bytes]:
        """Yield an object's bytes; raise `ObjectMissing`, or `StoreAway` for what may pass."""


class PackageIncomplete(Exception):
    """An export is missing, cut off or changed. `reason` is a machine word; `task` and `processor` say whose it is."""

    def __init__(self, reason: str, source: "Source") -> None:
        """Take `object_missing`, `object_broken` or `object_changed`, and the source."""
        super().__init__(reason)
        self.reason = reason
        self.task = source.task
        self.processor = source.processor


@dataclass(frozen=True, slots=True)
class Source:
    """One export task's winning object and the key that opens it."""

    task: str
    processor: str
    receipt: ExportReceipt
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What an export holds of one category."""

    records: int
    files: int
    columns: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileFound:
    """One file of an export; its place in the list is its place in the export."""

    category: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found in an export that is whole, by category in the order in which they came up."""

    source: Source
    categories: Mapping[str, Found]
    files: tuple[FileFound, ...]


async def take(objects: Objects, source: Source) -> Inventory:
    """Read an export to its end and return what it holds; raise `PackageIncomplete` unless it is what was reported."""
    records: Counter[str] = Counter()
    columns: dict[str, Columns] = {}
    files: list[FileFound] = []
    async with aclosing(_items(objects, source, whole=True)) as items:
        async for item in items:
            of_category = columns.setdefault(item.category, Columns())
            if isinstance(item, ExportedRecord):
                records[item.category] += 1
                of_category.learn(item.fields)
            else:
                size = 0
                async for chunk in item.chunks:
                    size += len(chunk)
                files.append(FileFound(item.category, item.media_type, size))
    filed = Counter(one.category for one in files)
    found = {one: Found(records[one], filed[one], known.names) for one, known in columns.items()}
    return Inventory(source, found, tuple(files))


async def records(objects: Objects, inventory: Inventory, category: str) -> AsyncGenerator[Mapping[str, Any], None]:
    """Yield the records of one category; raise `PackageIncomplete` if they are not as many as before.

    Reads no further than the last of them: every frame proves itself, and the whole was proven by the inventory.
    """
    left = inventory.categories[category].records
    async with aclosing(_items(objects, inventory.source)) as items:
        async for item in items:
            if not left:
                return
            if isinstance(item, ExportedRecord) and item.category == category:
                left -= 1
                yield item.fields
    if left:
        raise PackageIncomplete("object_changed", inventory.source)


async def files(objects: Objects, inventory: Inventory) -> AsyncGenerator[AsyncIterator[bytes], None]:
    """Yield the content of each file; read it to its end before asking for the next.

    Raises `PackageIncomplete` when there are others than before.
    """
    left = len(inventory.files)
    async with aclosing(_items(objects, inventory.source)) as items:
        async for item in items:
            if not left:
                return
            if isinstance(item, ExportedFile):
                left -= 1
                yield _told(item.chunks, inventory.source)
    if left:
        raise PackageIncomplete("object_changed", inventory.source)


async def _items(
    objects: Objects, source: Source, *, whole: bool = False
) -> AsyncGenerator[ExportedRecord | ExportedFile, None]:
    stored = objects.read(path_of(source.task, source.receipt.attempt))
    reader = ExportReader(stored, source.key, receipt=source.receipt if whole else None)
    try:
        async with aclosing(reader.__aiter__()) as items:
            async for item in items:
                yield item
    except ObjectMissing:
        raise PackageIncomplete("object_missing", source) from None
    except BrokenExport:
        raise PackageIncomplete("object_broken", source) from None


async def _told(chunks: AsyncIterator[bytes], source: Source) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except ObjectMissing:
        raise PackageIncomplete("object_missing", source) from None
    except BrokenExport:
        raise PackageIncomplete("object_broken", source) from None
