"""What is said of each line, and in which order."""

from datetime import date

import pytest

from habeas.vocabulary import Checked, Disposition, Headline, Language
from services.notifier.domain.telling import Mark, plain, say, tell
from services.notifier.domain.words import WORDS
from tests.unit.services.notifier.letters import line, recipient

ENGLISH = WORDS[Language.ENGLISH]


def test_what_is_kept_says_until_when_and_why() -> None:
    kept = line("invoices", Disposition.RETAINED, 2, ground="tax_law", until=date(2033, 12, 31))
    sentence = say(kept, ENGLISH)
    assert (sentence.mark, sentence.category) == (Mark.KEPT, "Invoices")
    assert sentence.text == "2 records kept until 31 December 2033, because tax law requires it."


def test_a_ground_without_words_is_named_as_it_is_recorded() -> None:
    kept = line("sick_notes", Disposition.RETAINED, ground="works_council_act")
    sentence = say(kept, ENGLISH)
    assert sentence.category == "Sick notes"
    assert sentence.text == "1 record kept, on the ground recorded as “works council act”."


@pytest.mark.parametrize("disposition", [Disposition.REFUSED, Disposition.FAILED])
def test_what_was_not_done_always_has_a_reason(disposition: Disposition) -> None:
    known = say(line("notes", disposition, reason="shared_with_others"), ENGLISH).text
    unknown = say(line("notes", disposition, reason="moon_phase"), ENGLISH).text
    none = say(line("notes", disposition), ENGLISH).text
    assert known.endswith("The data also concerns other people.")
    assert unknown.endswith("The reason is recorded as “moon phase”.")
    assert none.endswith("Ask us for the reason, and we will tell you.")


def test_nothing_found_is_not_claimed_where_nobody_checked() -> None:
    sure = say(line("all", Disposition.NOT_FOUND, 0), ENGLISH).text
    unsure = say(line("all", Disposition.NOT_FOUND, 0, Checked.NOT_CHECKABLE), ENGLISH).text
    assert sure == "Nothing about you found."
    assert unsure == "Nothing about you found. We could not check this ourselves."


def test_good_news_comes_first_and_what_needs_nothing_last() -> None:
    dispositions = [
        Disposition.NOT_FOUND,
        Disposition.FAILED,
        Disposition.RETAINED,
        Disposition.REFUSED,
        Disposition.ERASED,
    ]
    telling = tell(None, [recipient("CRM", *(line("all", one) for one in dispositions))], ENGLISH)
    assert [sentence.mark for sentence in telling.told[0].sentences] == list(Mark)


@pytest.mark.parametrize("headline", list(Headline))
def test_only_a_full_yes_goes_without_remedies(headline: Headline) -> None:
    assert tell(headline, [], ENGLISH).remedies == (headline is not Headline.FULFILLED)


@pytest.mark.parametrize("short", [Disposition.RETAINED, Disposition.REFUSED, Disposition.FAILED])
def test_remedies_are_named_where_any_line_falls_short(short: Disposition) -> None:
    telling = tell(Headline.FULFILLED, [recipient("CRM", line("all", short))], ENGLISH)
    assert telling.remedies


def test_plain_text_is_one_line_of_visible_characters() -> None:
    assert plain("a\r\nBcc: b\x00\u202e\u2028c\t d ") == "a Bcc: b c d"
