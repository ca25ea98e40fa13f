"""Which data is kept, on what ground and for how long: the rules of `deploy/config/retention.toml`."""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.tasks import RetentionRule
from habeas.vocabulary import CountedFrom

MOST_MONTHS = 1_200
_WORD = r"^[a-z][a-z0-9_.]{0,63}$"
_TABLE = re.compile(r"\s*\[\[\s*rules\s*\]\]")
_MENDS = {
    "extra_forbidden": "no rule has such a key; there are category, ground, months or years, counted_from, kinds, note",
    "missing": "add it; a rule needs category, ground, and months or years",
    "string_pattern_mismatch": "a word of a-z, 0-9, _ and dots, beginning with a letter",
    "enum": "write " + " or ".join(f'"{one.value}"' for one in CountedFrom),
}


class RetentionMistake(ValueError):
    """A retention file is wrong; the message names file, line and mend."""


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: str = Field(pattern=_WORD)
    ground: str = Field(pattern=_WORD)
    months: int | None = Field(default=None, ge=1, le=MOST_MONTHS, strict=True)
    years: int | None = Field(default=None, ge=1, le=MOST_MONTHS // 12, strict=True)
    counted_from: CountedFrom = CountedFrom.DATE
    kinds: tuple[str, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _one_period(self) -> Self:
        if (self.months is None) == (self.years is None):
            msg = "say how long: either months or years"
            raise ValueError(msg)
        return self

    @property
    def period(self) -> int:
        """In months."""
        return self.months if self.months is not None else 12 * (self.years or 0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rules: tuple[_Rule, ...]


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """The rules of one installation; without any, nothing is kept."""

    _rules: Sequence[tuple[RetentionRule, frozenset[str]]] = ()

    @classmethod
    def parse(cls, text: str, *, source: str) -> "RetentionRules":
        """Read the text of a retention file named `source`; raise `RetentionMistake` with every mistake."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            msg = f"{source}:{_line_named(str(error))}: this is not TOML: {error}"
            raise RetentionMistake(msg) from None
        try:
            rules = _File.model_validate(document).rules
        except ValidationError as error:
            raise RetentionMistake("\n".join(_explained(source, text, one) for one in error.errors())) from None
        _refuse_twins(source, text, rules)
        return cls(
            tuple(
                (
                    RetentionRule(
                        category=one.category, ground=one.ground, months=one.period, counted_from=one.counted_from
                    ),
                    frozenset(one.kinds),
                )
                for one in rules
            )
        )

    def concerning(self, kind: str, categories: Collection[str]) -> tuple[RetentionRule, ...]:
        """Return the rules for a processor of `kind` that holds data of `categories`."""
        return tuple(
            rule for rule, kinds in self._rules if rule.category in categories and (not kinds or kind in kinds)
        )


def _refuse_twins(source: str, text: str, rules: Sequence[_Rule]) -> None:
    """Two rules that differ in the period alone are a mistake: somebody believes that the shorter one holds."""
    seen: dict[tuple[str, str, str], int] = {}
    for place, rule in enumerate(rules):
        for kind in rule.kinds or ("",):
            first = seen.setdefault((rule.category, rule.ground, kind), place)
            if first != place:
                lines = _lines(text)
                msg = (
                    f"{source}:{lines[place]}: rules.{place}: the rule of line {lines[first]} speaks of "
                    f"{rule.category} and {rule.ground} too; keep one of them"
                )
                raise RetentionMistake(msg)


def _explained(source: str, text: str, mistake: Any) -> str:
    place: tuple[str | int, ...] = mistake["loc"]
    kind: str = mistake["type"]
    mend = _MENDS.get(kind, mistake["msg"].removeprefix("Value error, "))
    if len(place) == 1:
        mend = {
            "extra_forbidden": "the file holds [[rules]] and nothing else",
            "missing": "add [[rules]], or `rules = []` to keep nothing",
        }.get(kind, mend)
    name = ".".join(str(part) for part in place)
    return f"{source}:{_line_of(text, place)}: {name}: {mend}"


def _line_of(text: str, place: tuple[str | int, ...]) -> int:
    """Return the line of a key of a rule, or that of the rule, or of a key of the file; 1 where there is none."""
    lines = text.splitlines()
    if len(place) >= 2 and isinstance(place[1], int):
        starts = _lines(text)
        if place[1] >= len(starts):
            return 1
        start = starts[place[1]]
        end = starts[place[1] + 1] - 1 if place[1] + 1 < len(starts) else len(lines)
        return _line_with(lines, str(place[2]), start, end) if len(place) > 2 else start
    return _line_with(lines, str(place[0]), 1, len(lines)) if place else 1


def _line_with(lines: Sequence[str], key: str, start: int, end: int) -> int:
    pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*[=\]]")
    return next((number for number in range(start, end + 1) if pattern.match(lines[number - 1])), start)


def _lines(text: str) -> list[int]:
    """Return the line on which each rule begins."""
    return [number for number, line in enumerate(text.splitlines(), start=1) if _TABLE.match(line)]


def _line_named(error: str) -> int:
    found = re.search(r"at line (\d+)", error)
    return int(found[1]) if found else 1
