"""From the lines of an outcome to sentences that a person can read: what was done, what stays, what failed and why."""

import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
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
_WHOLE = {
    NO_ACCEPTED_IDENTITY: Mark.UNSEARCHED,
    **dict.fromkeys(("unknown_field", "no_corrections", "cannot_be_listed"), Mark.FAILED),
    **dict.fromkeys(("processor_retired", "skipped_by_operator"), Mark.FAILED),  # maybe nobody tried
}
_ORDER = list(Mark)
_WITHHELD = frozenset({Mark.KEPT, Mark.REFUSED})
_LOST = frozenset({Mark.FAILED, Mark.UNSEARCHED})


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
    return Telling(
        headline=_first(overall, marks, words),
        told=told,
        remedies=overall is not Headline.FULFILLED or bool(marks & (_WITHHELD | _LOST)),
        copied=any(line.disposition is Disposition.EXPORTED for one in recipients for line in one.lines),
    )


def _first(overall: Headline, marks: AbstractSet[Mark], words: Words) -> str:
    """Return the first sentence. The headline counts what was kept as a part that was done; no reader would."""
    if not marks or Mark.DONE in marks:
        return words.headlines[overall]
    if marks & _WITHHELD:
        refused = overall is Headline.REFUSED and not marks & _LOST
        return words.headlines[Headline.REFUSED] if refused else words.withheld_or_lost
    if Mark.FAILED in marks:
        return words.headlines[Headline.NOT_FULFILLED]
    return words.searched_in_part if overall is Headline.PARTLY_FULFILLED else words.headlines[overall]


def say(line: Line, words: Words) -> Sentence:
    """Return one line as a sentence."""
    category = None if line.category == ALL else words.categories.get(line.category) or _named(line.category)
    if line.reason in _WHOLE:
        text = words.reasons[line.reason]
        return Sentence(_WHOLE[line.reason], category, text[:1].lower() + text[1:] if category else text)
    mark = MARKS[line.disposition]
    said = words.dispositions[line.disposition].of(line.count)
    if mark is Mark.KEPT:
        said = f"{said}{_until(line, words)}, {_ground(line, words)}"
    unending = [words.no_end] if mark is Mark.KEPT and line.until is None else []
    parts = [f"{said}.", *unending, *_because(line, mark, words), *_checked(line, mark, words)]
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
