"""Judges requirements.lock against pyproject.toml without asking any index."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")
_HASH = re.compile(r"^\s+--hash=sha256:[0-9a-f]{64}(\s*\\)?$")


@dataclass(slots=True)
class Pin:
    """One entry of the lock; a package may have several, told apart by their markers."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int = 0

    def applies(self) -> bool:
        """Whether this entry is for a machine like this one."""
        return self.marker is None or self.marker.evaluate()


def declared(pyproject: str) -> list[Requirement]:
    """Return what the project needs, of itself, by its extras and to be built."""
    document = tomllib.loads(pyproject)
    project = document["project"]
    extras = project.get("optional-dependencies", {}).values()
    texts = [
        *project["dependencies"],
        *(one for extra in extras for one in extra),
        *document["build-system"]["requires"],
    ]
    found = [Requirement(one) for one in texts]
    return [one for one in found if canonicalize_name(one.name) != project["name"]]


def problems(pyproject: str, lock: str) -> Iterator[str]:
    """Yield a line for whatever keeps `lock` from installing what `pyproject` asks for, and nothing else."""
    pins: dict[str, list[Pin]] = {}
    current: Pin | None = None
    for number, line in enumerate(lock.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if _HASH.match(line) and current is not None:
            current.hashes += 1
        elif pin := _PIN.match(line):
            marker = Marker(pin["marker"]) if pin["marker"] else None
            current = Pin(canonicalize_name(pin["name"]), Version(pin["version"]), marker)
            pins.setdefault(current.name, []).append(current)
        else:
            yield f"line {number}: neither a pin nor a hash (a lock names no index and no file)"
    yield from (f"{pin.name}: has no hash" for same in pins.values() for pin in same if not pin.hashes)
    for requirement in declared(pyproject):
        yield from _unsatisfied(requirement, pins, "pyproject.toml")
    yield from _incomplete(pins)


def _unsatisfied(requirement: Requirement, pins: dict[str, list[Pin]], by: str) -> Iterator[str]:
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return
    here = [pin for pin in pins.get(canonicalize_name(requirement.name), []) if pin.applies()]
    if not here:
        yield f"{requirement.name}: is not locked, and {by} needs it"
    elif not all(requirement.specifier.contains(pin.version, prereleases=True) for pin in here):
        yield f"{requirement.name}: {here[0].version} is locked, and {by} needs {requirement.specifier}"


def _incomplete(pins: dict[str, list[Pin]]) -> Iterator[str]:
    """Yield what locked packages need in turn, as far as they are installed here."""
    for name in pins:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for need in needs:
            yield from _unsatisfied(Requirement(need), pins, name)
