"""The report says in plain words what is there and what is not, and nothing in it can come to life."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.outcomes import Line, Outcome
from habeas.vocabulary import Checked, Disposition, Headline, Language
from services.orchestrator.views.package.contents import Package, folders
from services.orchestrator.views.package.report import render
from services.orchestrator.views.package.sources import FileFound, Found, Inventory
from services.orchestrator.views.package.words import LANGUAGES
from tests.unit.services.orchestrator.views.package.shelf import COPIED, Shelf, package, recipient

SOURCE = Shelf().put("crm-eu")
INVENTORY = Inventory(SOURCE, {"contact": Found(2, 0, ())}, (FileFound("files", "image/png", 4_200_000),))
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='x",
    "javascript:x",
    "{{ 7 * 7 }}",
]
strange = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=30))


class Page(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "link", "img", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "title"}:
            self.text += data


def page(one: Package, *, exported: bool = True) -> Page:
    return Page(render(one, folders([INVENTORY] if exported else [])))


def telling(*lines: Line, language: Language = Language.ENGLISH, complete: bool = True) -> Page:
    outcome = Outcome.of(lines, complete=complete)
    one = package(
        [SOURCE], headline=outcome.headline, language=language, recipients=[recipient(SOURCE, outcome=outcome)]
    )
    return page(replace(one, sources=[]), exported=False)


def line(disposition: Disposition, **more: Any) -> Line:
    return Line(**{"category": "notes", "disposition": disposition, "count": 0, "checked": Checked.VERIFIED, **more})


SKELETON = page(package([SOURCE])).tags


@settings(max_examples=60, deadline=None)
@given(strange, strange, strange, strange, strange)
def test_nothing_that_others_wrote_becomes_part_of_the_page(
    title: str, owner: str, safeguard: str, description: str, controller: str
) -> None:
    one = recipient(SOURCE, title=title, owner=owner, safeguard=safeguard, categories={"contact": description})
    shown = page(package([SOURCE], recipients=[one], controller=controller))
    assert set(shown.tags) <= set(SKELETON)
    assert "script" not in shown.tags
    assert not [name for name, _ in shown.attributes if name.startswith("on") or name in {"src", "srcdoc", "style"}]
    for name, value in shown.attributes:
        if name == "href":
            assert value is not None
            assert re.fullmatch(r"#[a-z0-9-]+|crm-eu/[a-z0-9/_-]+\.(csv|json|png)", value)


@pytest.mark.parametrize("language", list(Language))
def test_a_page_needs_nothing_but_itself(language: Language) -> None:
    content = render(package([SOURCE], language=language), folders([INVENTORY])).decode()
    assert f'<html lang="{language.value}"' in content
    assert "default-src &#39;none&#39;" in content
    assert not re.search(r"https?:|@import|url\(|<script|<link|<img|<iframe", content)
    shown = Page(content.encode())
    anchors = {value for name, value in shown.attributes if name == "id"}
    for name, value in shown.attributes:
        if name == "href" and value and value.startswith("#"):
            assert value[1:] in anchors
        if name == "aria-labelledby":
            assert value in anchors


def test_it_says_who_holds_what_where_and_under_which_safeguard() -> None:
    shown = page(
        package([SOURCE], recipients=[recipient(SOURCE, country="US", safeguard="Standard contractual clauses")])
    )
    for text in (
        "Example & Sons", "The CRM", "Sales", "United States (US)", "Standard contractual clauses",
        "Name and addresses", "2 November 2026", "20 November 2026", "4 MB", "0001.png",
        "Autoriteit Persoonsgegevens", "right to complain",
        "req_01J00000000000000000000009",
    ):  # fmt: skip
        assert text in shown.text
    assert ("href", "crm-eu/contact.csv") in shown.attributes


def test_without_a_safeguard_outside_the_area_it_says_so_and_inside_it_says_nothing() -> None:
    outside = page(package([SOURCE], recipients=[recipient(SOURCE, country="US")]))
    assert "None is recorded" in outside.text
    assert "Safeguard" not in page(package([SOURCE])).text


def test_a_processor_that_never_announced_itself_is_named_by_its_id() -> None:
    unknown = recipient(SOURCE, title="crm-eu", owner=None, country=None, categories={}, outcome=None)
    shown = page(replace(package([SOURCE], recipients=[unknown]), sources=[]), exported=False)
    assert "Nothing more is known of this recipient." in shown.text
    assert "Not copied: see below" in shown.text


@pytest.mark.parametrize(
    ("one", "english", "dutch"),
    [
        (line(Disposition.NOT_FOUND), "Searched, and nothing about you found.", "Doorzocht, en niets van u gevonden."),
        (
            line(Disposition.NOT_FOUND, checked=Checked.ATTESTED),
            "Searched, and nothing about you found. We could not check this ourselves.",
            "Doorzocht, en niets van u gevonden. Dit konden wij zelf niet controleren.",
        ),
        (
            line(Disposition.REFUSED, count=3, reason="shared_with_others"),
            "3 records not copied. The data also concerns other people.",
            "3 gegevens niet gekopieerd. De gegevens betreffen ook andere mensen.",
        ),
        (
            line(Disposition.FAILED, count=1, reason="keeps_failing"),
            "We tried to copy 1 record, but did not succeed. It kept failing.",
            "Wij hebben geprobeerd 1 gegeven te kopiëren, maar dat is niet gelukt. Het bleef mislukken.",
        ),
        (
            line(Disposition.FAILED, checked=Checked.NOT_CHECKABLE, reason="cannot_be_listed"),
            "so there may be data about you that we did not find. Such data can not be searched",
            "er kunnen dus gegevens van u zijn die wij niet hebben gevonden. Zulke gegevens zijn niet",
        ),
        (
            line(Disposition.NOT_APPLICABLE, category="all", reason="no_accepted_identity"),
            "Everything: Not asked. It knows people by other details",
            "Alles: Niet gevraagd. Deze ontvanger kent mensen aan andere gegevens",
        ),
        (line(Disposition.REFUSED, reason="odd_word"), "recorded as “odd word”", "vastgelegd als “odd word”"),
        (line(Disposition.FAILED, count=2), "Ask us for the reason", "Vraag ons naar de reden"),
    ],
    ids=lambda one: one.disposition.value if isinstance(one, Line) else "",
)
def test_what_is_missing_is_said_in_plain_words(one: Line, english: str, dutch: str) -> None:
    assert english in telling(one).text
    assert dutch in telling(one, language=Language.DUTCH).text


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((COPIED,), "Copied"),
        ((COPIED, line(Disposition.FAILED)), "Something is missing: see below"),
        ((line(Disposition.NOT_FOUND),), "Nothing found"),
        ((line(Disposition.NOT_APPLICABLE),), "Not copied: see below"),
        ((line(Disposition.REFUSED),), "Not copied: see below"),
    ],
)
def test_the_overview_sums_each_recipient_up(lines: tuple[Line, ...], shown: str) -> None:
    assert f"00{shown}" in telling(*lines).text.replace("\n", "")


@pytest.mark.parametrize("language", list(Language))
def test_a_language_has_words_for_everything(language: Language) -> None:
    words, english = LANGUAGES[language], LANGUAGES[Language.ENGLISH]
    assert words.headlines.keys() == set(Headline)
    for table in ("labels", "reasons", "countries", "findings", "authorities"):
        assert getattr(words, table).keys() == getattr(english, table).keys()
    assert len(words.months) == 12


def test_a_thousand_files_are_not_named_one_by_one() -> None:
    many = Inventory(
        SOURCE, {"files": Found(0, 1000, ())}, tuple(FileFound("files", "image/png", 1) for _ in range(1000))
    )
    content = render(package([SOURCE]), folders([many])).decode()
    assert "and 950 more in the folder crm-eu/files" in content
    assert content.count('href="crm-eu/files/') == 50
