"""From outcomes and counts to what the report says of each recipient, in the words of one language."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.outcomes import Line
from habeas.vocabulary import NO_ACCEPTED_IDENTITY, Checked, Disposition, Headline
from services.orchestrator.views.package.contents import Folder, Package, Recipient
from services.orchestrator.views.package.words.shape import Words

ALL: Final = "all"  # the category of a line that speaks of a recipient as a whole
MOST_FILES: Final = 50  # that the report names one by one, of each recipient
_COPIED = frozenset({Disposition.EXPORTED, Disposition.ALREADY_DONE})
_SHORT = frozenset({Disposition.FAILED, Disposition.REFUSED, Disposition.RETAINED})
_WHY = _SHORT | {Disposition.NOT_APPLICABLE}


@dataclass(frozen=True, slots=True)
class Kind:
    """One category of data at a recipient; `table` and `data` are names in the package, None without records."""

    name: str
    description: str | None
    records: str
    files: str
    table: str | None
    data: str | None


@dataclass(frozen=True, slots=True)
class News:
    """What became of one category, in a sentence or two. `short`: something that was asked for was not done."""

    category: str
    text: str
    short: bool


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file: its name in the package, without the folder too."""

    name: str
    label: str
    category: str
    size: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the report says of one recipient; `mark` is `complete`, `partial`, `none`, `missing` or `unsearched`."""

    anchor: str
    title: str
    country: str | None
    outside: bool
    safeguard: str | None
    known: bool
    mark: str
    records: int
    files: int
    kinds: tuple[Kind, ...]
    news: tuple[News, ...]
    listed: tuple[FileLine, ...]
    more_files: int
    folder: str | None


def tell(package: Package, folders: Sequence[Folder], words: Words) -> list[Told]:
    """Return what is to be said of each recipient, those that have data first."""
    given = {folder.inventory.source.task: folder for folder in folders}
    told = [_told(number, one, given.get(one.task), words) for number, one in enumerate(package.recipients, start=1)]
    return sorted(told, key=lambda one: (not one.records + one.files, one.title.casefold()))


def nothing_where_searched(package: Package) -> bool:
    """Whether the answer is that nothing was found where it could be searched, which was not everywhere."""
    lines = [line for one in package.recipients if one.outcome for line in one.outcome.lines]
    found = {line.disposition for line in lines} - {Disposition.NOT_FOUND, Disposition.NOT_APPLICABLE}
    return package.headline is Headline.PARTLY_FULFILLED and not found and any(map(_unsearched, lines))


def plain(text: str) -> str:
    """Return text of somebody else as one harmless line: no control, format or line-breaking characters."""
    kept = (" " if character.isspace() else character for character in text)
    return " ".join("".join(one for one in kept if unicodedata.category(one)[0] != "C").split())


def _told(number: int, one: Recipient, folder: Folder | None, words: Words) -> Told:
    found = folder.inventory.categories if folder else {}
    filed = folder.filed() if folder else []
    lines = one.outcome.lines if one.outcome else ()
    return Told(
        anchor=f"recipient-{number}",
        title=plain(one.title) or one.processor,
        country=words.country(one.country) if one.country else None,
        outside=one.country is not None and one.country not in EEA,
        safeguard=plain(words.translated(one.safeguard)) if one.safeguard else None,
        known=one.country is not None,
        mark=_mark(one, found=bool(found)),
        records=sum(each.records for each in found.values()),
        files=len(filed),
        kinds=tuple(_kinds(one, folder, words)),
        news=tuple(_news(line, words) for line in sorted(lines, key=lambda line: line.disposition not in _COPIED)),
        listed=tuple(
            FileLine(name, name.rpartition("/")[2], _category(each.category, words), words.size(each.size))
            for name, each in filed[:MOST_FILES]
        ),
        more_files=max(0, len(filed) - MOST_FILES),
        folder=folder.name if folder else None,
    )


def _mark(one: Recipient, *, found: bool) -> str:
    present = {line.disposition for line in one.outcome.lines} if one.outcome else set()
    short = one.outcome is None or not one.outcome.complete or bool(present & _SHORT)
    if found or present & _COPIED:
        return "partial" if short else "complete"
    if one.outcome is not None and any(_unsearched(line) for line in one.outcome.lines):
        return "unsearched"
    return "missing" if short or Disposition.NOT_APPLICABLE in present else "none"


def _kinds(one: Recipient, folder: Folder | None, words: Words) -> Iterator[Kind]:
    found = folder.inventory.categories if folder else {}
    for name in dict.fromkeys((*one.categories, *found)):
        here = found.get(name)
        linked = folder is not None and here is not None and here.records > 0
        yield Kind(
            name=_category(name, words),
            description=plain(words.translated(one.categories[name])) if name in one.categories else None,
            records=words.number(here.records if here else 0),
            files=words.number(here.files if here else 0),
            table=folder.table_of(name) if folder and linked else None,
            data=folder.list_of(name) if folder and linked else None,
        )


def _news(line: Line, words: Words) -> News:
    category = _category(line.category, words)
    if _unsearched(line):
        return News(category, f"{words.unsearched} {words.reasons[NO_ACCEPTED_IDENTITY]}", short=True)
    short = line.disposition in _SHORT
    unlisted = line.disposition is Disposition.FAILED and line.checked is Checked.NOT_CHECKABLE
    if unlisted and not line.count and line.category != ALL:
        parts = [words.unlisted]
    else:
        parts = [f"{words.finding(line.disposition, line.count)}."]
    if line.disposition in _WHY:
        parts.append(_reason(line, words))
    elif line.disposition is Disposition.NOT_FOUND and line.checked is not Checked.VERIFIED:
        parts.append(words.unchecked)
    text = " ".join(parts)
    return News(category, text[:1].upper() + text[1:], short)


def _reason(line: Line, words: Words) -> str:
    """Return why it was not done; a person is owed a reason (Article 12(4))."""
    reason = line.reason or line.ground
    if reason is None:
        return words.no_reason
    known = words.reasons.get(reason)
    return words.other_reason.format(word=_spaced(reason, upper=False)) if known is None else known


def _unsearched(line: Line) -> bool:
    return line.reason == NO_ACCEPTED_IDENTITY


def _category(name: str, words: Words) -> str:
    return words.everything if name == ALL else words.categories.get(name) or _spaced(name)


def _spaced(word: str, *, upper: bool = True) -> str:
    spaced = plain(word.replace("_", " "))
    return spaced[:1].upper() + spaced[1:] if upper else spaced


# The European Economic Area; data kept elsewhere needs a safeguard (Article 46) or a decision on the country.
EEA: Final = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT"}
    | {"LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
)
