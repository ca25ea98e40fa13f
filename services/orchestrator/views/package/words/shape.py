"""What a language has to have words for, so that one which lacks a word can not be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from habeas.vocabulary import Disposition, Headline


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase for no records, for one and for several (`{count}` stands for the number as it is written)."""

    bare: str
    one: str
    many: str

    def of(self, count: int, written: str) -> str:
        """Return the phrase for `count` records; `written` is that number in the language's way."""
        if count == 0:
            return self.bare
        return self.one if count == 1 else self.many.format(count=written)


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `labels` are the fixed texts of the page, by the name that the template knows them by.

    `findings` says what became of a category; `reasons` why, where the machine word is known, else `other_reason` with
    a place `{word}`. `searched_in_part` is the headline where nothing was found and not everywhere could be searched.
    `categories` names kinds of data, and `translations` has what manifests of processors say, by their own, English
    text: what other teams wrote stays as it is. `authorities` names the supervisory authority of a
    country, else `other_authority`.
    """

    code: str
    months: tuple[str, ...]
    thousands: str
    headlines: Mapping[Headline, str]
    findings: Mapping[Disposition, Counted]
    other_finding: Counted
    unchecked: str
    unlisted: str
    reasons: Mapping[str, str]
    no_reason: str
    other_reason: str
    everything: str
    unsearched: str
    searched_in_part: str
    categories: Mapping[str, str]
    translations: Mapping[str, str]
    countries: Mapping[str, str]
    authorities: Mapping[str, str]
    other_authority: str
    labels: Mapping[str, str]

    def translated(self, text: str) -> str:
        """Return what a manifest says in this language, or as it stands there where nobody has translated it."""
        return self.translations.get(text, text)

    def day(self, day: date) -> str:
        """Return a date as people of this language write it."""
        return f"{day.day} {self.months[day.month - 1]} {day.year}"

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return f"{number:,}".replace(",", self.thousands)

    def finding(self, disposition: Disposition, count: int) -> str:
        """Return what became of `count` records."""
        return self.findings.get(disposition, self.other_finding).of(count, self.number(count))

    def size(self, size: int) -> str:
        """Return a number of bytes in the largest unit that fits."""
        amount = float(size)
        for unit in ("B", "kB", "MB", "GB"):
            if amount < 1000 or unit == "GB":
                break
            amount /= 1000
        return f"{self.number(round(amount))} {unit}"

    def country(self, code: str) -> str:
        """Return a country's name and code; the code alone where the name is not known."""
        name = self.countries.get(code)
        return f"{name} ({code})" if name else code

    def authority(self, country: str) -> str:
        """Return whom to complain to about a controller in `country`."""
        return self.authorities.get(country, self.other_authority)
