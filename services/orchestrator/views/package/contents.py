"""What a package is about: one answered request, who was asked, and what each of them gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from contracts.outcomes import Outcome
from habeas.vocabulary import Headline, Language
from services.orchestrator.views.package import names
from services.orchestrator.views.package.sources import FileFound, Found, Inventory, Source


@dataclass(frozen=True, slots=True)
class Recipient:
    """One processor and the task that it was given; without a manifest only its id is known.

    `categories` are the kinds of data that it says it holds, each with its description.
    """

    task: str
    processor: str
    title: str
    country: str | None
    safeguard: str | None
    categories: Mapping[str, str]
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Package:
    """Everything but the data itself. `recipients` has one entry for each task; `sources` are those that exported."""

    request: str
    language: Language
    livemode: bool
    received_on: date
    answered_on: date
    created_at: datetime
    controller: str
    country: str
    headline: Headline | None
    recipients: Sequence[Recipient]
    sources: Sequence[Source] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Folder:
    """What one export becomes: a folder, and in it the names of its tables, lists and files."""

    name: str
    inventory: Inventory
    stems: Mapping[str, str]

    def list_of(self, category: str) -> str:
        """Return the name of a category's records as JSON."""
        return f"{self.name}/{self.stems[category]}.json"

    def table_of(self, category: str) -> str:
        """Return the name of a category's records as a table."""
        return f"{self.name}/{self.stems[category]}.csv"

    def recorded(self) -> list[tuple[str, Found]]:
        """Return the categories that have records."""
        return [(category, found) for category, found in self.inventory.categories.items() if found.records]

    def filed(self) -> list[tuple[str, FileFound]]:
        """Return the files with the names that they get, in their order."""
        return [
            (names.file_name(self.name, number, one.media_type), one)
            for number, one in enumerate(self.inventory.files, start=1)
        ]


def folders(inventories: Sequence[Inventory]) -> list[Folder]:
    """Return a folder for each export: named by its processor, or by a number where two would have one name."""
    everyone = {one.source.processor for one in inventories}
    words: list[str] = []
    for one in inventories:
        word, number = one.source.processor, 1
        while word in words or (number > 1 and word in everyone):
            number += 1
            word = f"{one.source.processor}-{number}"
        words.append(word)
    named = names.made(words, "processor")
    return [
        Folder(named[word], one, names.made(one.categories, "category"))
        for word, one in zip(words, inventories, strict=True)
    ]
