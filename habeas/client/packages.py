"""The package of an access request: fetched by a stream, checked, and kept only when it is whole."""

import asyncio
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, Self

import httpx

from habeas.client.errors import PackageBroken
from habeas.client.operations import Download

PIECE = 1 << 18  # bytes
MANIFEST = "manifest.json"
MOST_MANIFEST = 256 << 20  # bytes

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class SavedPackage:
    """A package that was kept: it is whole, and every member of it is what its manifest says.

    `bytes` is the size of the file, `members` how many files are in it, `manifest` its `manifest.json`.
    """

    path: Path
    bytes: int
    members: int
    manifest: dict[str, Any] = field(repr=False)


class BlockingDoor(Protocol):
    """A client whose calls wait."""

    def open(self, download: Download) -> httpx.Response:
        """Return the answer with its body unread; raise a `HabeasError` unless it is what was asked for."""


class AwaitedDoor(Protocol):
    """A client whose calls are awaited."""

    def open(self, download: Download) -> Coroutine[Any, Any, httpx.Response]:
        """Return the answer with its body unread; raise a `HabeasError` unless it is what was asked for."""


class Package:
    """A package at the server; nothing is fetched before it is saved or gone through.

    >>> saved = habeas.requests.package("req_...").save("jane.zip")
    >>> saved.members
    7
    """

    def __init__(self, client: BlockingDoor, download: Download) -> None:
        """Fetch through `client`."""
        self._client = client
        self._download = download

    def __iter__(self) -> Iterator[bytes]:
        """Yield the ZIP as it comes. Raises `PackageBroken` when it breaks off; it is for you to check it then."""
        response = self._client.open(self._download)
        got = 0
        try:
            for piece in response.iter_bytes():
                got += len(piece)
                yield piece
        except httpx.HTTPError as error:
            raise PackageBroken(_broke_off(got, error)) from None
        finally:
            response.close()

    def save(self, path: str | Path, *, overwrite: bool = False, progress: Progress | None = None) -> SavedPackage:
        """Fetch it to `path` (mode 0600), check it, and return what was kept.

        It is written beside it (`.part`) and renamed once it is whole and every SHA-256 of its manifest fits; else
        nothing is left, and `PackageBroken` is raised. `FileExistsError` comes before anything is fetched.
        `progress` is told the bytes so far.
        """
        with _Keeping(Path(path), self._download, overwrite=overwrite, progress=progress) as keeping:
            for piece in self:
                keeping.write(piece)
            return keeping.keep()


class AsyncPackage:
    """A package at the server, for asyncio; parameters and errors as `Package`.

    >>> saved = await habeas.requests.package("req_...").save("jane.zip")
    """

    def __init__(self, client: AwaitedDoor, download: Download) -> None:
        """Fetch through `client`."""
        self._client = client
        self._download = download

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the ZIP as it comes."""
        response = await self._client.open(self._download)
        got = 0
        try:
            async for piece in response.aiter_bytes():
                got += len(piece)
                yield piece
        except httpx.HTTPError as error:
            raise PackageBroken(_broke_off(got, error)) from None
        finally:
            await response.aclose()

    async def save(
        self, path: str | Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> SavedPackage:
        """Fetch it to `path`, check it, and return what was kept."""
        with _Keeping(Path(path), self._download, overwrite=overwrite, progress=progress) as keeping:
            async for piece in self:
                keeping.write(piece)
            return await asyncio.to_thread(keeping.keep)


class _Keeping:
    """A file that appears under its name when it is whole, or not at all."""

    def __init__(self, path: Path, download: Download, *, overwrite: bool, progress: Progress | None) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._request = download.request
        self._overwrite = overwrite
        self._progress = progress
        self._size = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._refuse_to_overwrite()
        self._part.unlink(missing_ok=True)  # of a fetch that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)  # not there any more when it was kept

    def write(self, piece: bytes) -> None:
        """Append bytes."""
        assert self._file is not None  # noqa: S101  # within `with` it is open
        self._file.write(piece)
        self._size += len(piece)
        if self._progress is not None:
            self._progress(self._size)

    def keep(self) -> SavedPackage:
        """Check the file and give it its name."""
        assert self._file is not None  # noqa: S101  # within `with` it is open
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        manifest = check(self._part, self._request)
        self._refuse_to_overwrite()
        self._part.replace(self._path)
        return SavedPackage(self._path, self._size, len(manifest["members"]) + 1, manifest)

    def _refuse_to_overwrite(self) -> None:
        if not self._overwrite and self._path.exists():
            raise FileExistsError(f"{self._path} exists already")


def check(path: Path, request: str) -> dict[str, Any]:
    """Return the manifest of the package in a file; raise `PackageBroken` unless it is whole and of `request`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _checked(archive, request)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise PackageBroken("what came is no whole ZIP") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PackageBroken("the package has no manifest that can be read") from None


def _checked(archive: zipfile.ZipFile, request: str) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > MOST_MANIFEST:
        raise PackageBroken("the package's manifest is too large")
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    listed = {one["name"]: (one["bytes"], one["sha256"]) for one in manifest["members"]}
    if manifest["request"] != request:
        raise PackageBroken("the package is of another request")
    if sorted(archive.namelist()) != sorted([*listed, MANIFEST]):
        raise PackageBroken("the package does not hold what its manifest lists")
    for name, told in listed.items():
        if _weighed(archive, name) != told:
            raise PackageBroken("a member of the package is not what its manifest says")
    return manifest


def _weighed(archive: zipfile.ZipFile, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as member:
        while piece := member.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _broke_off(got: int, error: Exception) -> str:
    return f"the package broke off after {got} bytes ({type(error).__name__})"
