"""From the lines of an outcome to sentences that a person can read: what was done, what stays, what failed and why."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts.notices import Recipient
from contracts.outcomes import Line, Outcome
from habeas.vocabulary import DONE, NO_ACCEPTED_IDENTITY, Checked, Disposition, Headline
from services.notifier.domain.words import Words

ALL = "all"  # the category of a line that speaks of a recipient as a whole


class Mark(StrEnum):
    """What kind of news a sentence is; sentences of one recipient stand in this order."""

    DONE = "done"
    KEPT = "kept"
    REFUSED = "refused"
    FAILED = "failed"
    UNSEARCHED = "unsearched"
    NOTHING = "nothing"


MARKS = {
    **dict.fromkeys(DONE, Mark.DONE),
    Disposition.RETAINED: Mark.KEPT,
    Disposition.REFUSED: Mark.REFUSED,
    Disposition.FAILED: Mark.FAILED,
    Disposition.NOT_FOUND: Mark.NOTHING,
    Disposition.NOT_APPLICABLE: Mark.NOTHING,
}
# Reasons that say it all, whatever the disposition: nobody was unwilling, and nobody found that it does not apply.
_WHOLE = {NO_ACCEPTED_IDENTITY: Mark.UNSEARCHED, "unknown_field": Mark.FAILED, "no_corrections": Mark.FAILED}
_ORDER = list(Mark)
_SHORT = frozenset({Mark.KEPT, Mark.REFUSED, Mark.FAILED, Mark.UNSEARCHED})


@dataclass(frozen=True, slots=True)
class Sentence:
    """One piece of news about one category of data."""

    mark: Mark
    category: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one recipient of the data."""

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """What a completion says. `remedies`: something was not done, so Article 12(4) wants both remedies named."""

    headline: str
    told: tuple[Told, ...]
    remedies: bool
    copied: bool


def tell(headline: Headline | None, recipients: Sequence[Recipient], words: Words) -> Telling:
    """Return what is to be said of an outcome in the language of `words`."""
    told = tuple(Told(plain(one.title), _sentences(one.lines, words)) for one in recipients if one.lines)
    marks = {sentence.mark for one in told for sentence in one.sentences}
    overall = headline or Outcome.of(tuple(line for one in recipients for line in one.lines)).headline
    nothing_more = overall is Headline.PARTLY_FULFILLED and marks <= {Mark.NOTHING, Mark.UNSEARCHED}
    return Telling(
        headline=words.searched_in_part if marks and nothing_more else words.headlines[overall],
        told=told,
        remedies=overall is not Headline.FULFILLED or bool(marks & _SHORT),
        copied=any(line.disposition is Disposition.EXPORTED for one in recipients for line in one.lines),
    )


def say(line: Line, words: Words) -> Sentence:
    """Return one line as a sentence."""
    category = None if line.category == ALL else words.categories.get(line.category) or _named(line.category)
    if line.reason in _WHOLE:
        return Sentence(_WHOLE[line.reason], category, words.reasons[line.reason])
    mark = MARKS[line.disposition]
    said = words.dispositions[line.disposition].of(line.count)
    if mark is Mark.KEPT:
        said = f"{said}{_until(line, words)}, {_ground(line, words)}"
    parts = [f"{said}.", *_because(line, mark, words), *_checked(line, mark, words)]
    text = " ".join(parts)
    return Sentence(mark, category, text if category else text[:1].upper() + text[1:])


def plain(text: str) -> str:
    """Return text of somebody else as one harmless line: no control, format or line-breaking characters."""
    kept = (" " if character.isspace() else character for character in text)
    return " ".join("".join(one for one in kept if unicodedata.category(one)[0] != "C").split())


def _sentences(lines: Sequence[Line], words: Words) -> tuple[Sentence, ...]:
    sentences = [say(line, words) for line in lines]
    return tuple(sorted(sentences, key=lambda one: _ORDER.index(one.mark)))


def _until(line: Line, words: Words) -> str:
    return "" if line.until is None else f" {words.until.format(day=words.day(line.until))}"


def _ground(line: Line, words: Words) -> str:
    if line.ground is None:
        return words.no_ground
    return words.grounds.get(line.ground) or words.other_ground.format(word=_spaced(line.ground))


def _because(line: Line, mark: Mark, words: Words) -> list[str]:
    """Return why something was not done; a person is owed a reason (Article 12(4)), so there always is a sentence."""
    if mark in {Mark.REFUSED, Mark.FAILED}:
        reason = line.reason or line.ground or "unspecified"
    elif line.disposition is Disposition.NOT_APPLICABLE and line.reason is not None:
        reason = line.reason
    else:
        return []
    return [words.reasons.get(reason) or words.other_reason.format(word=_spaced(reason))]


def _checked(line: Line, mark: Mark, words: Words) -> list[str]:
    """Return how sure it is; of what was not done there is nothing to check, nor of a copy: the person has it."""
    if mark is Mark.DONE and line.disposition is not Disposition.EXPORTED:
        return [words.checked[line.checked]]
    if line.disposition is Disposition.NOT_FOUND and line.checked is not Checked.VERIFIED:
        return [words.unchecked_search]
    return []


def _named(category: str) -> str:
    spaced = _spaced(category)
    return spaced[:1].upper() + spaced[1:]


def _spaced(word: str) -> str:
    return plain(word.replace("_", " "))
