"""The report says in plain words what is there and what is not, and nothing in it can come to life."""

import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
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
from tests.unit.services.reasons import reasons_given

SOURCE = Shelf().put("crm-eu")
INVENTORY = Inventory(SOURCE, {"contact": Found(2, 0, ())}, (FileFound("files", "image/png", 4_200_000),))
MANIFESTS = Path(__file__).parents[6] / "services/connectors/processors"
# Why something was not erased or corrected; no copy is missing for one of these.
OF_EFFECTS = {
    "cannot_be_deleted", "card_error", "customer_tax_location_invalid", "email_invalid", "email_of_another_contact",
    "finalised_meanwhile", "in_recycle_bin", "invalid_cascading_source", "invalid_email", "invalid_state",
    "invalid_value", "invoice_not_editable", "no_corrections", "not_deleted", "old_value_differs", "open_dispute",
    "open_invoice", "postal_code_invalid", "read_only_property", "too_many_objects", "unknown_field", "unknown_hold",
    "unknown_property",
}  # fmt: skip
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
@given(strange, strange, strange, strange)
def test_nothing_that_others_wrote_becomes_part_of_the_page(
    title: str, safeguard: str, description: str, controller: str
) -> None:
    one = recipient(SOURCE, title=title, safeguard=safeguard, categories={"contact": description})
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
        "Example & Sons", "The CRM", "United States (US)", "Standard contractual clauses",
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
    unknown = recipient(SOURCE, title="crm-eu", country=None, categories={}, outcome=None)
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
            "so there may be data about you that we did not find. Such data cannot be searched",
            "er kunnen dus gegevens van u zijn die wij niet hebben gevonden. Zulke gegevens zijn niet",
        ),
        (
            line(Disposition.NOT_APPLICABLE, category="all", reason="no_accepted_identity"),
            "Everything: Not searched. We know nothing of you by which this system can be searched.",
            "Alles: Niet doorzocht. Wij weten niets van u waarmee dit systeem te doorzoeken is.",
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
        ((line(Disposition.NOT_APPLICABLE, reason="no_accepted_identity"),), "Not searched: see below"),
        ((line(Disposition.REFUSED),), "Not copied: see below"),
    ],
)
def test_the_overview_sums_each_recipient_up(lines: tuple[Line, ...], shown: str) -> None:
    assert f"00{shown}" in telling(*lines).text.replace("\n", "")


@pytest.mark.parametrize("language", list(Language))
def test_a_language_has_words_for_everything(language: Language) -> None:
    words, english = LANGUAGES[language], LANGUAGES[Language.ENGLISH]
    assert words.headlines.keys() == set(Headline)
    for table in ("labels", "reasons", "countries", "findings", "authorities", "categories"):
        assert getattr(words, table).keys() == getattr(english, table).keys()
    assert len(words.months) == 12


def test_every_reason_that_our_own_code_gives_for_a_missing_copy_has_words() -> None:
    given = reasons_given()
    assert {"export_too_large", "no_export_store"} <= given
    assert given >= OF_EFFECTS, "what is not given any more needs no exception"
    assert given - OF_EFFECTS - set(LANGUAGES[Language.ENGLISH].reasons) == set()


@pytest.mark.parametrize("language", list(Language))
def test_what_shipped_processors_say_of_themselves_is_said_in_each_language(language: Language) -> None:
    words = LANGUAGES[language]
    manifests = [tomllib.loads(path.read_text("utf-8")) for path in MANIFESTS.glob("*/manifest.toml")]
    categories = [one for manifest in manifests for one in manifest["categories"]]
    assert {one["name"] for one in categories} - set(words.categories) == set()
    told = {one["description"] for one in categories} | {one["safeguard"] for one in manifests if "safeguard" in one}
    if language is not Language.ENGLISH:
        assert set(words.translations) == told


def test_a_dutch_page_names_kinds_and_safeguards_in_dutch_and_what_nobody_translated_as_it_is() -> None:
    described = {"payment_methods": "Cards and bank accounts that the customer pays with", "diary": "What was dreamt"}
    one = recipient(
        SOURCE,
        country="US",
        safeguard="EU-US Data Privacy Framework, with Standard Contractual Clauses behind it",
        categories=described,
    )
    shown = page(package([SOURCE], language=Language.DUTCH, recipients=[one])).text
    for text in ("Betaalmiddelen", "Kaarten en bankrekeningen", "EU-VS-kader", "Diary", "What was dreamt"):
        assert text in shown
    assert "Bij wie wij hebben gezocht" in shown


def test_nothing_found_where_it_could_be_searched_is_no_copy_of_a_part() -> None:
    shown = telling(line(Disposition.NOT_FOUND), line(Disposition.NOT_APPLICABLE, reason="no_accepted_identity"))
    assert "We found no personal data about you where we could search." in shown.text
    assert "a copy of part" not in shown.text


def test_a_thousand_files_are_not_named_one_by_one() -> None:
    many = Inventory(
        SOURCE, {"files": Found(0, 1000, ())}, tuple(FileFound("files", "image/png", 1) for _ in range(1000))
    )
    content = render(package([SOURCE]), folders([many])).decode()
    assert "and 950 more in the folder crm-eu/files" in content
    assert content.count('href="crm-eu/files/') == 50
