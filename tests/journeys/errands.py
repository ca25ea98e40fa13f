"""Many people with three rights at once, and what the vendors' books must say when all of it is done."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.world import Person, World, wish

PROCESSORS = {"ai", "billing", "crm-eu", "files"}
NEW_PHONE = "+442079460999"


@dataclass(frozen=True, slots=True)
class Errands:
    """Who asks for what; every person is somebody else, with data at every vendor."""

    erased: list[Person]
    corrected: list[Person]
    seeing: list[Person]
    states: list[str]
    kept: list[int]

    @classmethod
    def of(cls, world: World, how_many: int) -> "Errands":
        """Invent people: half of them will be erased, a quarter corrected, a quarter given a copy."""
        people = world.people(how_many)
        erased, corrected, seeing = people[: how_many // 2], people[how_many // 2 :: 2], people[how_many // 2 + 1 :: 2]
        return cls(erased, corrected, seeing, world.states(seeing), [world.kept(one) for one in erased])

    @property
    def people(self) -> list[Person]:
        """Everybody."""
        return [*self.erased, *self.corrected, *self.seeing]

    def file(self, world: World) -> list[str]:
        """File all requests in one batch; return their ids."""
        corrections = {"contact.phone": NEW_PHONE}
        wishes = [wish("erasure", one) for one in self.erased]
        wishes += [wish("rectification", one, corrections=corrections) for one in self.corrected]
        wishes += [wish("access", one) for one in self.seeing]
        return world.file(wishes)

    def done_once(self, world: World, requests: list[str], folder: Path) -> None:
        """Assert, from the vendors' books and the packages alone, that all of it was done, and nothing twice."""
        world.erased_once(self.erased)
        done = {(vendor, effect) for vendor, effect, _ in world.effects(self.erased)}
        assert done >= {("stripe", f"redaction_job.{verb}") for verb in ("create", "run")}  # a job that takes its time
        assert [world.kept(one) for one in self.erased] == self.kept
        assert [world.phones(one) for one in self.corrected] == [{NEW_PHONE}] * len(self.corrected)
        changes = world.effects(self.corrected)
        assert set(changes.values()) == {1}
        assert {vendor for vendor, _, _ in changes} == {"hubspot", "stripe"}
        assert world.effects(self.seeing) == {}
        assert world.states(self.seeing) == self.states
        for request, person in zip(requests[-len(self.seeing) :], self.seeing, strict=True):
            is_a_copy(world, request, person, folder)


def is_a_copy(world: World, request: str, person: Person, folder: Path) -> None:
    """The client itself checks the digests of the manifest; here it is whose data is in it, and of which processors."""
    saved = world.habeas.requests.package(request).save(folder / f"{request}.zip")
    with zipfile.ZipFile(saved.path) as package:
        folders = {name.partition("/")[0] for name in package.namelist() if "/" in name}
        assert folders == PROCESSORS
        assert person.email in package.read("crm-eu/contact.json").decode()
