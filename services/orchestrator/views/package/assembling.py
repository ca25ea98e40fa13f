"""Assembles a package while it is sent: several passes over the exports, never more of them in memory than a piece."""

import hashlib
import json
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Final

from stream_zip import ZIP_AUTO, AsyncMemberFile, Method, async_stream_zip

from services.orchestrator.views.package import members, names, report, sources
from services.orchestrator.views.package.contents import Folder, Package, folders
from services.orchestrator.views.package.sources import Inventory, Objects

FORMAT: Final = "habeas package"
VERSION: Final = 1
LEVEL: Final = 6  # of compression: 9 takes four times as long for a hundredth less
MODE: Final = stat.S_IFREG | 0o600
_WIDEST: Final = 8  # times what was stored: no table or list of records grows more when it is written out


async def inventories(objects: Objects, package: Package) -> list[Inventory]:
    """Read every export once; raise `PackageIncomplete` unless all are whole and as they were reported."""
    return [await sources.take(objects, source) for source in package.sources]


async def assemble(objects: Objects, package: Package, inventory: Sequence[Inventory]) -> AsyncGenerator[bytes, None]:
    """Yield the ZIP. Raises `PackageIncomplete` when an export is not any more what the inventory found.

    What was yielded before that has no central directory, so no reader takes it for a package.
    """
    assembly = _Assembly(objects, package, folders(inventory))
    async for piece in async_stream_zip(assembly.members()):
        yield piece


class _Assembly:
    """The members of one package, and what each of them came to."""

    def __init__(self, objects: Objects, package: Package, kept: Sequence[Folder]) -> None:
        self._objects = objects
        self._package = package
        self._folders = kept
        self._weighed: list[tuple[str, int, str]] = []

    async def members(self) -> AsyncIterator[AsyncMemberFile]:
        """Yield the members, each to be read to its end before the next is asked for."""
        page = report.render(self._package, self._folders)
        yield self._member(names.REPORT, _once(page), len(page))
        for folder in self._folders:
            bound = folder.inventory.source.receipt.size * _WIDEST
            for category, found in folder.recorded():
                yield self._member(folder.list_of(category), members.array(self._records(folder, category)), bound)
                table = members.table(found.columns, self._records(folder, category))
                yield self._member(folder.table_of(category), table, bound + found.records * len(found.columns) * 3)
            if folder.inventory.files:
                contents = sources.files(self._objects, folder.inventory)
                for name, one in folder.filed():
                    pressed = name.rpartition(".")[2] in names.PRESSED
                    yield self._member(name, await anext(contents), one.size, level=0 if pressed else LEVEL)
                await contents.aclose()
        yield self._member(names.MANIFEST, self._manifest(), 200 * len(self._weighed) + (1 << 24), listed=False)

    def _records(self, folder: Folder, category: str) -> AsyncIterator[Any]:
        return sources.records(self._objects, folder.inventory, category)

    def _member(
        self, name: str, content: AsyncIterator[bytes], bound: int, *, level: int = LEVEL, listed: bool = True
    ) -> AsyncMemberFile:
        method: Method = ZIP_AUTO(bound, level=level)
        pieces = members.gathered(self._weigh(name, content) if listed else content)
        return name, self._package.created_at, MODE, method, pieces

    async def _weigh(self, name: str, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        digest, size = hashlib.sha256(), 0
        async for piece in content:
            digest.update(piece)
            size += len(piece)
            yield piece
        self._weighed.append((name, size, digest.hexdigest()))

    async def _manifest(self) -> AsyncIterator[bytes]:
        """Yield the manifest; it comes last, since only then is known what every other member came to."""
        head = {
            "format": FORMAT,
            "version": VERSION,
            "request": self._package.request,
            "created_at": self._package.created_at.isoformat(),
            "language": self._package.language.value,
            "processors": [_processor(folder) for folder in self._folders],
        }
        text = json.dumps(head, ensure_ascii=False, indent=2)
        yield (text.removesuffix("\n}") + ',\n  "members": [').encode("utf-8", "replace")
        before = "\n    "
        for name, size, digest in self._weighed:
            yield (before + json.dumps({"name": name, "bytes": size, "sha256": digest})).encode()
            before = ",\n    "
        yield b"\n  ]\n}\n"


def _processor(folder: Folder) -> dict[str, Any]:
    source = folder.inventory.source
    return {
        "id": source.processor,
        "task": source.task,
        "folder": folder.name,
        "categories": [
            {
                "name": category,
                "records": found.records,
                "files": found.files,
                "json": folder.list_of(category) if found.records else None,
                "csv": folder.table_of(category) if found.records else None,
            }
            for category, found in folder.inventory.categories.items()
        ],
        "files": [
            {"name": name, "category": one.category, "media_type": one.media_type} for name, one in folder.filed()
        ],
    }


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
