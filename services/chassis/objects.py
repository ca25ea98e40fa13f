"""Object storage: a folder or a bucket, to which objects are streamed and from which they are streamed back."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

PART = 5 << 20  # bytes that are sent at once: the least that S3 takes as a part
PARTS_AT_ONCE = 2
LARGEST = 10_000 * PART  # the most parts that S3 takes
READ = 1 << 20  # bytes that are asked for at once
ABORT_WITHIN = 20.0  # seconds

_SIGNS = {"No space left": "full", "Disk quota exceeded": "full", "NoSuchBucket": "missing"}

T = TypeVar("T")


class StoreAway(Exception):
    """The store can not be reached, is full, or does not let us in; later it may. `reason` is a machine word."""

    def __init__(self, reason: str) -> None:
        """Take `unreachable`, `missing` (the bucket or folder), `full` or `not_allowed`."""
        self.reason = reason
        super().__init__(reason)


class ObjectMissing(LookupError):
    """There is no such object."""


class ObjectTooLarge(ValueError):
    """An object would take more than `LARGEST` bytes."""


class ObjectStore:
    """Objects by path; a path has parts that are divided by `/`, and the parts before the last make a folder.

    What is said of errors holds for every method: `StoreAway` for what may pass, `ObjectMissing` for what is not there.
    """

    def __init__(self, store: LocalStore | S3Store, *, root: Path | None = None) -> None:
        """Use `open_store` of `services.chassis.object_settings`. `root` is the folder of a local store."""
        self._store = store
        self._root = root

    def upload(self, path: str) -> "Upload":
        """Return a new object to be written within `async with`: it is there after `commit`, or never was."""
        writer = obstore.open_writer_async(self._store, path, buffer_size=PART, max_concurrency=PARTS_AT_ONCE)
        return Upload(self, path, writer, None if self._root is None else self._root / path)

    async def read(self, path: str) -> AsyncIterator[bytes]:
        """Yield the object's bytes in pieces of a megabyte, each asked for when it is wanted.

        However slowly they are taken, no request stays open meanwhile.
        """
        size = (await _answer(obstore.head_async(self._store, path)))["size"]
        for start in range(0, size, READ):
            length = min(READ, size - start)
            piece = await _answer(obstore.get_range_async(self._store, path, start=start, length=length))
            yield piece.to_bytes()

    async def list(self, folder: str) -> Sequence[str]:
        """Return the paths of the objects below `folder`, sorted."""

        async def collected() -> list[str]:
            found = obstore.list(self._store, folder.rstrip("/"))
            return sorted([one["path"] async for batch in found for one in batch])

        try:
            return await _answer(collected())
        except ObjectMissing:
            raise StoreAway("missing") from None

    async def delete(self, path: str) -> None:
        """Delete an object; one that is not there is as good as deleted."""
        try:
            await _answer(obstore.delete_async(self._store, path))
        except ObjectMissing:
            return

    async def delete_folder(self, folder: str, *, keep: str | None = None) -> None:
        """Delete everything below `folder`, but for the object `keep`: also what dead writers left of their objects.

        In a bucket, parts of an upload whose writer died can not be seen from here: a lifecycle rule of the bucket has
        to abort those.
        """
        if self._root is not None:
            kept = None if keep is None else self._root / keep
            await _answer(asyncio.to_thread(_delete_files, self._root / folder, kept))
            return
        gone = [path for path in await self.list(folder) if path != keep]
        if gone:
            await _answer(obstore.delete_async(self._store, gone))

    async def ping(self) -> None:
        """Return when the store answers; raise `StoreAway`."""
        if self._root is not None and not os.access(self._root, os.W_OK | os.X_OK):
            raise StoreAway("not_allowed" if self._root.exists() else "missing")
        await self.list("ping")


class Upload:
    """An object that is being written, in bounded memory: unless `commit` returned, leaving the block undoes it."""

    def __init__(self, store: ObjectStore, path: str, writer: "obstore.AsyncWritableFile", file: Path | None) -> None:
        """Use `ObjectStore.upload`. `file` is where a local store puts it."""
        self._store = store
        self._path = path
        self._writer = writer
        self._file = file
        self._size = 0
        self._call: asyncio.Future[Any] | None = None
        self._committed = False

    async def write(self, data: bytes) -> None:
        """Append bytes; waits while enough is under way. Raises `ObjectTooLarge` too."""
        self._size += len(data)
        if self._size > LARGEST:
            raise ObjectTooLarge
        await self._do(self._writer.write(data))

    async def commit(self) -> None:
        """Return once the whole object is durable."""
        await self._do(self._writer.close())
        if self._file is not None:
            await _answer(asyncio.to_thread(_flush, self._file))
        self._committed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Take back what was not committed; leaving the block does it."""
        if not self._committed:
            aborting = asyncio.ensure_future(self._abort())
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(aborting), ABORT_WITHIN)

    async def _do(self, call: Awaitable[object]) -> None:
        """Await `call`; a cancel leaves it to its end, for which `_abort` waits."""
        self._call = asyncio.ensure_future(call)
        try:
            await _answer(asyncio.shield(self._call))
        except ObjectMissing:
            raise StoreAway("missing") from None

    async def _abort(self) -> None:
        """Take back what was written. Where the store is away, the parts that it has are of no use to anybody."""
        if self._call is not None:
            await asyncio.gather(self._call, return_exceptions=True)
        with suppress(BaseError, OSError):
            await self._writer.__aexit__(RuntimeError, RuntimeError(), None)
        with suppress(StoreAway):
            await self._store.delete(self._path)  # it was whole already


async def _answer(call: Awaitable[T]) -> T:
    """Return what `call` answers; errors of the driver become ours, without what they quote."""
    try:
        return await call
    except FileNotFoundError:
        raise ObjectMissing from None
    except (PermissionDeniedError, UnauthenticatedError, PermissionError):
        raise StoreAway("not_allowed") from None
    except (BaseError, OSError) as error:
        raise StoreAway(_word(str(error))) from None


def _word(text: str) -> str:
    """Return what the driver says in a text alone."""
    return next((word for sign, word in _SIGNS.items() if sign in text), "unreachable")


def _flush(file: Path) -> None:
    for one in (file, file.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _delete_files(folder: Path, keep: Path | None) -> None:
    for parent, _, names in os.walk(folder, topdown=False, onerror=_unless_missing):
        for name in names:
            if Path(parent, name) != keep:
                Path(parent, name).unlink(missing_ok=True)
        with suppress(OSError):  # something is kept there, or is being written
            Path(parent).rmdir()


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
