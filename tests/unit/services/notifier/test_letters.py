"""What arrives: golden letters in full, and nothing that anybody typed ever comes alive in one."""

from html.parser import HTMLParser
from itertools import combinations

import pytest

from contracts.notices import Recipient
from habeas.vocabulary import Disposition, Headline, Language, NoticeKind, Right
from services.notifier.domain.notices import Claim
from services.notifier.domain.telling import MARKS, Mark
from services.notifier.handlers.write_letter import Sender
from tests.unit.services.notifier.golden_cases import CASES, DONE, GOLDEN, golden
from tests.unit.services.notifier.letters import claim, line, write

MIXED = (Mark.DONE, Mark.KEPT, Mark.REFUSED, Mark.FAILED)


@pytest.mark.parametrize("name", list(CASES))
def test_the_letter_reads_as_its_golden_one(name: str) -> None:
    assert golden(CASES[name]) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_no_golden_letter_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("language", list(Language))
def test_every_mix_of_what_can_become_of_data_has_a_golden_letter(language: Language) -> None:
    mixes = {frozenset(mix) for size in range(1, 5) for mix in combinations(MIXED, size)}
    assert len(mixes) == 15
    assert mixes - {_mix(one) for one in CASES.values() if one.language is language} == set()


def _mix(one: Claim) -> frozenset[Mark]:
    if (one.kind, one.right) != (NoticeKind.COMPLETION, Right.ERASURE):
        return frozenset()
    return frozenset(MARKS[line.disposition] for each in one.recipients for line in each.lines) & set(MIXED)


class Page(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.mark.parametrize("name", list(CASES))
def test_both_forms_say_the_same(name: str) -> None:
    letter = write(CASES[name])
    text = letter.text.replace("[", "").replace("]", "").replace("***", "").replace("-", " ").split()
    page = Page(letter.html).text.replace("-", " ")
    missing = [word for word in text if word.strip(".:,()") not in page]
    assert missing == []


@pytest.mark.parametrize("name", list(CASES))
def test_the_page_fetches_nothing_and_runs_nothing(name: str) -> None:
    page = Page(write(CASES[name]).html)
    assert not set(page.tags) & {"img", "script", "link", "iframe", "object", "embed", "form", "svg", "video", "base"}
    names = {attribute for attribute, _ in page.attributes}
    assert not {one for one in names if one.startswith("on")} | (names & {"src", "background", "srcset", "action"})
    assert {value for attribute, value in page.attributes if attribute == "href"} <= {
        "https://autoriteitpersoonsgegevens.nl"
    }
    assert "url(" not in write(CASES[name]).html
    assert ("lang", CASES[name].language.value) in page.attributes


PAYLOADS = [
    "{{7*7}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<a href='javascript:alert(1)'>here</a>",
    "%s {0} {reason} ${7*7} #{7*7}",
]


def _laced(payload: str) -> Claim:
    words = (
        line(payload[:64], Disposition.RETAINED, ground=payload[:64]),
        line("notes", Disposition.REFUSED, reason=payload[:64]),
    )
    return claim(Recipient(title=payload[:80], lines=words), reference=payload, headline=Headline.REFUSED)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_somebody_typed_stays_what_it_was(payload: str) -> None:
    sender = Sender(controller=payload, contact=payload, authority=payload, authority_url="https://a.example")
    letter = write(_laced(payload), sender)
    page = Page(letter.html)
    assert not set(page.tags) & {"script", "img"}
    assert not [value for name, value in page.attributes if name == "href" and value != "https://a.example"]
    assert "49" not in letter.text
    assert "49" not in page.text
    assert " ".join(payload.split()) in " ".join(letter.text.split())
    assert " ".join(payload.split()) in page.text
    assert payload not in letter.subject


def test_a_reference_of_many_lines_becomes_one() -> None:
    letter = write(claim(*DONE, reference="x\r\nBcc: eve@example.com\r\n\r\nDear"))
    assert "Your reference: x Bcc: eve@example.com Dear\n" in letter.text
