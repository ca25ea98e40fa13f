"""Both languages have a word for everything."""

import tomllib
from pathlib import Path

import pytest

from habeas.vocabulary import Checked, Disposition, Headline, Language, Right
from services.notifier.domain.telling import MARKS, Mark, say
from services.notifier.domain.words import WORDS
from tests.unit.services.notifier.letters import line
from tests.unit.services.reasons import reasons_given

LANGUAGES = list(Language)
ROOT = Path(__file__).parents[5]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_vocabulary_has_words(language: Language) -> None:
    words = WORDS[language]
    assert set(words.rights) == set(words.subjects) == set(words.next) == set(Right)
    assert set(words.headlines) == set(Headline)
    assert set(words.dispositions) == set(Disposition)
    assert set(words.checked) == set(Checked)
    assert len(set(words.months)) == 12


def test_every_disposition_is_a_kind_of_news() -> None:
    assert set(MARKS) == set(Disposition)
    assert set(MARKS.values()) == set(Mark) - {Mark.UNSEARCHED}  # which goes by the reason


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("checked", list(Checked))
@pytest.mark.parametrize("disposition", list(Disposition))
@pytest.mark.parametrize("count", [0, 1, 7])
def test_every_line_makes_whole_sentences(
    language: Language, disposition: Disposition, checked: Checked, count: int
) -> None:
    sentence = say(line("all", disposition, count, checked), WORDS[language])
    assert sentence.text.endswith(".")
    assert sentence.text[0].isupper() or sentence.text[0].isdigit()
    assert "{" not in sentence.text
    assert ".." not in sentence.text
    if count:
        assert str(count) in sentence.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_done_says_how_sure_it_is_in_three_ways(language: Language) -> None:
    said = {say(line("all", Disposition.ERASED, 2, checked), WORDS[language]).text for checked in Checked}
    assert len(said) == 3


def test_languages_know_the_same_grounds_reasons_and_categories() -> None:
    first, *others = WORDS.values()
    for other in others:
        assert set(other.grounds) == set(first.grounds)
        assert set(other.reasons) == set(first.reasons)
        assert set(other.categories) == set(first.categories)


def test_languages_do_not_borrow_sentences() -> None:
    english, dutch = WORDS[Language.ENGLISH], WORDS[Language.DUTCH]
    for name in ("rights", "subjects", "next", "headlines", "dispositions", "checked", "grounds", "reasons"):
        assert not set(getattr(english, name).values()) & set(getattr(dutch, name).values())


def test_every_reason_that_our_own_code_gives_a_person_has_words() -> None:
    given = reasons_given()
    assert {"processor_retired", "skipped_by_operator", "old_value_differs", "postal_code_invalid"} <= given
    assert given - set(WORDS[Language.ENGLISH].reasons) == set()


def test_every_category_of_the_shipped_processors_has_a_name_in_each_language() -> None:
    manifests = (ROOT / "services/connectors/processors").glob("*/manifest.toml")
    names = {one["name"] for path in manifests for one in tomllib.loads(path.read_text("utf-8"))["categories"]}
    assert {"contact", "files"} <= names
    for words in WORDS.values():
        assert names - set(words.categories) == set()
