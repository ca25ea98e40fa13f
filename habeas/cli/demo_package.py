"""Looks into the package that the demo fetched: is it whole, whose data is in it, and of how many processors?"""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MANIFEST = "manifest.json"
_READABLE = (".json", ".csv", ".html", ".txt")


@dataclass(frozen=True, slots=True)
class Copy:
    """What is in a package.

    `whole`      every member is there, with the digest that the manifest tells.
    `members`    how many files it has beside the manifest.
    `processors` how many folders there are with data in them.
    """

    whole: bool
    members: int
    processors: int
    _texts: tuple[str, ...] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "Copy":
        """Open the package at `path`. Raises what `zipfile` raises for something else."""
        with zipfile.ZipFile(path) as package:
            names = [name for name in package.namelist() if name != _MANIFEST]
            told = {one["name"]: one["sha256"] for one in json.loads(package.read(_MANIFEST))["members"]}
            found = {name: hashlib.sha256(package.read(name)).hexdigest() for name in names}
            folders = {name.partition("/")[0] for name in names if "/" in name}
            return cls(found == told, len(names), len(folders), tuple(_texts(package, names)))

    def mentions(self, text: str) -> bool:
        """Whether `text` stands anywhere in it, in any letter case."""
        return any(text.casefold() in one for one in self._texts)


def _texts(package: zipfile.ZipFile, names: list[str]) -> Iterator[str]:
    for name in names:
        if name.endswith(_READABLE):
            yield package.read(name).decode("utf-8", errors="replace").casefold()
