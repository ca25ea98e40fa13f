"""What came of a task or a request: lines by data category and one headline above them."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from habeas.vocabulary import NO_ACCEPTED_IDENTITY, Checked, Disposition, Headline, headline_of


class Line(BaseModel):
    """What became of one category of data. `count` is in records; `reason` is a machine word, never personal data."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    category: Annotated[str, Field(max_length=64)]
    disposition: Disposition
    count: Annotated[int, Field(ge=0)]
    checked: Checked
    ground: Annotated[str, Field(max_length=64)] | None = None
    until: date | None = None
    reason: Annotated[str, Field(max_length=64)] | None = None


class Outcome(BaseModel):
    """Lines and their headline; `complete` is False when a part of the search did not happen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    headline: Headline
    lines: tuple[Line, ...] = ()
    complete: bool = True

    @classmethod
    def of(cls, lines: tuple[Line, ...], *, complete: bool = True) -> Self:
        """Return the outcome that `lines` make."""
        unsearched = any(
            line.disposition is Disposition.NOT_APPLICABLE and line.reason == NO_ACCEPTED_IDENTITY for line in lines
        )
        headline = headline_of((line.disposition for line in lines), complete=complete, unsearched=unsearched)
        return cls(headline=headline, lines=lines, complete=complete)
