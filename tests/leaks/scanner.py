"""Looks for planted values in bytes and files, in every form, and tells where and in which form, never the value."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.leaks.forms import forms

CHUNK = 8 * 1024 * 1024  # bytes


@dataclass(frozen=True, order=True)
class Hit:
    """A planted value where it must not be."""

    place: str
    what: str
    form: str


class Scanner:
    """Knows what was planted: by a name such as `e-mail address`, a value that occurs nowhere by chance."""

    def __init__(self, planted: Mapping[str, str]) -> None:
        self._needles = [
            (what, form, needle) for what, value in planted.items() for needle, form in forms(value).items()
        ]
        self._longest = max(len(needle) for _, _, needle in self._needles)

    def hits(self, place: str, data: bytes) -> set[Hit]:
        """Return what `data` contains."""
        return {Hit(place, what, form) for what, form, needle in self._needles if needle in data}

    def in_all(self, things: Iterable[tuple[str, bytes]]) -> set[Hit]:
        """Return what any of `things`, each with its place, contains."""
        return {hit for place, data in things for hit in self.hits(place, data)}

    def in_file(self, path: Path, place: str) -> set[Hit]:
        """Return what a file contains, wherever in it."""
        found: set[Hit] = set()
        tail = b""
        for chunk in written(path):
            found |= self.hits(place, tail + chunk)
            tail = chunk[-self._longest :]
        return found

    def in_folder(self, folder: Path, *, but: Iterable[Path] = ()) -> set[Hit]:
        """Return what the files below `folder` contain and are called, but for those below `but`."""
        found: set[Hit] = set()
        for path in files(folder, but):
            relative = path.relative_to(folder)
            named = self.hits("a file's name", str(relative).encode())
            found |= named
            found |= self.in_file(path, "a file with a telling name" if named else str(relative))
        return found


def files(folder: Path, but: Iterable[Path] = ()) -> list[Path]:
    """Return the regular files below `folder`, but for those below `but`."""
    left_out = tuple(but)
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not any(path.is_relative_to(one) for one in left_out)
    ]


def written(path: Path) -> Iterator[bytes]:
    """Yield what was written to a file, in chunks; holes, of which brokers' indexes are full, are passed over.

    A file that goes away meanwhile, as those of servers do, has ended.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        end = 0
        while (start := _seek(descriptor, end, os.SEEK_DATA)) is not None:
            end = _seek(descriptor, start, os.SEEK_HOLE) or start
            for at in range(start, end, CHUNK):
                yield os.pread(descriptor, min(CHUNK, end - at), at)
    finally:
        os.close(descriptor)


def _seek(descriptor: int, at: int, what: int) -> int | None:
    try:
        return os.lseek(descriptor, at, what)
    except OSError:  # behind the last data
        return None
