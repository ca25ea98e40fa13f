"""What a language has to say: a language that lacks a word cannot be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from habeas.vocabulary import Checked, Disposition, Headline, Right


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase without a number, for one record and for several (`{count}` stands for the number)."""

    bare: str
    one: str
    many: str

    def of(self, count: int) -> str:
        """Return the phrase for `count` records."""
        if count == 0:
            return self.bare
        return self.one if count == 1 else self.many.format(count=count)


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `rights` completes "your request ..."; `subjects` opens a subject line; `next` says what follows.

    `searched_in_part` is the headline where nothing was found and not everywhere could be searched, `withheld_or_lost`
    where nothing was done, partly for a reason and partly because it failed. `no_end` follows what is kept without an
    `until`. `grounds`, `reasons` and `categories` name those that are known; the register and processors may have
    others, for which `other_ground` and `other_reason` have a place `{word}`.
    """

    months: tuple[str, ...]
    rights: Mapping[Right, str]
    subjects: Mapping[Right, str]
    next: Mapping[Right, str]
    headlines: Mapping[Headline, str]
    searched_in_part: str
    withheld_or_lost: str
    dispositions: Mapping[Disposition, Counted]
    checked: Mapping[Checked, str]
    unchecked_search: str
    grounds: Mapping[str, str]
    other_ground: str
    no_ground: str
    until: str
    no_end: str
    reasons: Mapping[str, str]
    other_reason: str
    categories: Mapping[str, str]
    received: str
    answered: str
    trial: str

    def day(self, day: date) -> str:
        """Return a date as people of this language write it."""
        return f"{day.day} {self.months[day.month - 1]} {day.year}"
