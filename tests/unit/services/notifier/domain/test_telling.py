"""What is said of each line, and in which order."""

from datetime import date

import pytest

from contracts.outcomes import Line
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
    assert (
        sentence.text == "1 record kept, on the ground recorded as “works council act”. For how long is not known yet."
    )


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


def test_of_a_copy_nobody_says_that_it_was_checked() -> None:
    for checked in Checked:
        assert say(line("notes", Disposition.EXPORTED, 2, checked), ENGLISH).text == "2 records copied for you."


@pytest.mark.parametrize("language", list(Language))
def test_what_could_not_be_searched_is_not_called_nothing_to_do(language: Language) -> None:
    unsearched = line("all", Disposition.NOT_APPLICABLE, 0, Checked.NOT_CHECKABLE, reason="no_accepted_identity")
    sentence = say(unsearched, WORDS[language])
    assert (sentence.mark, sentence.text) == (Mark.UNSEARCHED, WORDS[language].reasons["no_accepted_identity"])
    nowhere = [recipient("CRM", line("all", Disposition.NOT_FOUND, 0)), recipient("Files", unsearched)]
    telling = tell(Headline.PARTLY_FULFILLED, nowhere, WORDS[language])
    assert telling.headline == WORDS[language].searched_in_part
    assert telling.remedies
    done = [recipient("CRM", line("all", Disposition.ERASED)), recipient("Files", unsearched)]
    assert tell(Headline.PARTLY_FULFILLED, done, WORDS[language]).headline != telling.headline


def test_a_detail_that_is_not_known_there_is_no_unwillingness() -> None:
    sentence = say(line("all", Disposition.REFUSED, 0, Checked.NOT_CHECKABLE, reason="unknown_field"), ENGLISH)
    assert (sentence.mark, sentence.text) == (Mark.FAILED, "Your request names a detail that we cannot correct there.")


@pytest.mark.parametrize("reason", ["processor_retired", "skipped_by_operator", "cannot_be_listed"])
def test_nobody_claims_to_have_tried_what_nobody_tried(reason: str) -> None:
    whole = say(line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason=reason), ENGLISH)
    part = say(line("notes", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason=reason), ENGLISH)
    assert (whole.mark, whole.text) == (Mark.FAILED, ENGLISH.reasons[reason])
    assert part.text == whole.text[0].lower() + whole.text[1:]  # it follows "Notes: "


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "lines",
    [
        [line("invoices", Disposition.RETAINED), line("notes", Disposition.FAILED)],
        [line("invoices", Disposition.REFUSED), line("notes", Disposition.FAILED)],
        [
            line("invoices", Disposition.RETAINED),
            line("all", Disposition.NOT_APPLICABLE, reason="no_accepted_identity"),
        ],
        [line("invoices", Disposition.REFUSED), line("all", Disposition.REFUSED, reason="unknown_field")],
    ],
)
def test_where_nothing_was_done_no_part_is_claimed(language: Language, lines: list[Line]) -> None:
    telling = tell(None, [recipient("CRM", *lines)], WORDS[language])
    assert telling.headline == WORDS[language].withheld_or_lost
    done = tell(None, [recipient("CRM", *lines, line("tasks", Disposition.ERASED))], WORDS[language])
    assert done.headline == WORDS[language].headlines[Headline.PARTLY_FULFILLED]


def test_a_detail_that_is_known_nowhere_is_no_reason_of_ours() -> None:
    unknown = line("all", Disposition.REFUSED, 0, Checked.NOT_CHECKABLE, reason="unknown_field")
    assert (
        tell(Headline.REFUSED, [recipient("CRM", unknown)], ENGLISH).headline
        == (ENGLISH.headlines[Headline.NOT_FULFILLED])
    )


def test_good_news_comes_first_and_what_needs_nothing_last() -> None:
    lines = [
        line("all", Disposition.NOT_FOUND),
        line("all", Disposition.NOT_APPLICABLE, reason="no_accepted_identity"),
        line("all", Disposition.FAILED),
        line("all", Disposition.RETAINED),
        line("all", Disposition.REFUSED),
        line("all", Disposition.ERASED),
    ]
    telling = tell(None, [recipient("CRM", *lines)], ENGLISH)
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
