"""An outcome is its lines and the headline that they make."""

from contracts.outcomes import Line, Outcome
from habeas.vocabulary import Checked, Disposition, Headline


def _line(disposition: Disposition) -> Line:
    return Line(category="contact", disposition=disposition, count=1, checked=Checked.VERIFIED)


def test_the_headline_follows_from_the_lines() -> None:
    lines = (_line(Disposition.ERASED), _line(Disposition.RETAINED))
    assert Outcome.of(lines).headline is Headline.FULFILLED_WITH_RETENTION
    assert Outcome.of(lines).lines == lines


def test_an_incomplete_search_is_told() -> None:
    outcome = Outcome.of((_line(Disposition.ERASED),), complete=False)
    assert (outcome.headline, outcome.complete) == (Headline.PARTLY_FULFILLED, False)
