"""What arrives: golden letters in full, and nothing that anybody typed ever comes alive in one."""

from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from contracts.notices import Recipient
from habeas.vocabulary import Checked, Disposition, Headline, Language, NoticeKind, Right
from services.notifier.domain.notices import Claim
from services.notifier.handlers.write_letter import Sender
from tests.unit.services.notifier.letters import claim, line, recipient, write

GOLDEN = Path(__file__).parent / "golden"
MIXED = (
    recipient(
        "HubSpot CRM",
        line("contact", Disposition.ERASED, 3),
        line("invoices", Disposition.RETAINED, 2, ground="tax_law", until=date(2033, 12, 31)),
        line("notes", Disposition.REFUSED, reason="shared_with_others"),
    ),
    recipient("File storage", line("all", Disposition.NOT_FOUND, 0)),
    recipient(
        "Assistant",
        line("conversations", Disposition.ERASED, 1, Checked.ATTESTED),
        line("open_input_fields", Disposition.ANONYMISED, 12, Checked.NOT_CHECKABLE),
    ),
    recipient("Accountant", line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="keeps_failing")),
)
DONE = (recipient("CRM", line("contact", Disposition.ERASED, 1)),)
COPIED = (recipient("CRM", line("contact", Disposition.EXPORTED, 4)),)
NOWHERE = (recipient("CRM", line("all", Disposition.NOT_FOUND, 0)),)
KEPT = (
    recipient(
        "Stripe",
        line("customer", Disposition.ERASED, 1),
        line("payment_methods", Disposition.ERASED, 2),
        line("invoices", Disposition.RETAINED, 3, ground="tax_law", until=date(2034, 1, 1)),
    ),
    recipient("OpenAI", line("files", Disposition.ERASED, 2), line("conversations", Disposition.ALREADY_DONE, 1)),
)
ALL_KEPT = (
    recipient("Stripe", line("invoices", Disposition.RETAINED, 3, ground="tax_law", until=date(2034, 1, 1))),
    recipient("Cloud storage", line("files", Disposition.RETAINED, 1, ground="object_lock")),
)
SOME_FAILED = (
    recipient("HubSpot CRM", line("contact", Disposition.ERASED, 1)),
    recipient(
        "OpenAI",
        line("files", Disposition.ERASED, 2),
        line("responses", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed"),
    ),
    recipient("Old shop", line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="processor_retired")),
)
NONE_DONE = (
    recipient("OpenAI", line("responses", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed")),
    recipient("HubSpot CRM", line("all", Disposition.NOT_FOUND, 0)),
)
COPIED_IN_PART = (
    recipient("HubSpot CRM", line("contact", Disposition.EXPORTED, 1), line("notes", Disposition.EXPORTED, 12)),
    recipient("Stripe", line("all", Disposition.NOT_FOUND, 0)),
    recipient("OpenAI", line("responses", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed")),
)
CORRECTED = (
    recipient("HubSpot CRM", line("contact", Disposition.RECTIFIED, 2)),
    recipient("Stripe", line("customer", Disposition.ALREADY_DONE, 1)),
    recipient(
        "Cloud storage", line("all", Disposition.NOT_APPLICABLE, 0, Checked.NOT_CHECKABLE, reason="right_not_served")
    ),
)
CORRECTED_IN_PART = (
    recipient(
        "HubSpot CRM",
        line("contact", Disposition.RECTIFIED, 1),
        line("all", Disposition.REFUSED, 0, Checked.NOT_CHECKABLE, reason="unknown_field"),
    ),
    recipient("Stripe", line("customer", Disposition.REFUSED, 1, reason="old_value_differs")),
)
NOT_CORRECTED = (recipient("Stripe", line("customer", Disposition.REFUSED, 1, reason="old_value_differs")),)


UNSEARCHED = recipient(
    "Cloud storage", line("all", Disposition.NOT_APPLICABLE, 0, Checked.NOT_CHECKABLE, reason="no_accepted_identity")
)
SOME_UNSEARCHED = (recipient("HubSpot CRM", line("contact", Disposition.ERASED, 3)), UNSEARCHED)
NOT_COPIED = (recipient("HubSpot CRM", line("notes", Disposition.REFUSED, 2, reason="shared_with_others")),)


def _in_both(name: str, *recipients: Recipient, headline: Headline, **more: Any) -> dict[str, Claim]:
    return {
        f"completion-{name}-{language.value}": claim(*recipients, headline=headline, language=language, **more)
        for language in Language
    }


def _acknowledged(name: str, **more: Any) -> dict[str, Claim]:
    return {
        f"acknowledgement-{name}-{language.value}": claim(
            kind=NoticeKind.ACKNOWLEDGEMENT, headline=None, language=language, **more
        )
        for language in Language
    }


CASES = {
    **_in_both("retention", *KEPT, headline=Headline.FULFILLED_WITH_RETENTION),
    **_in_both("refused", *ALL_KEPT, headline=Headline.REFUSED),
    **_in_both("some-failed", *SOME_FAILED, headline=Headline.PARTLY_FULFILLED),
    **_in_both("not-fulfilled", *NONE_DONE, headline=Headline.NOT_FULFILLED),
    **_in_both("access-in-part", *COPIED_IN_PART, headline=Headline.PARTLY_FULFILLED, right=Right.ACCESS),
    **_in_both("rectified", *CORRECTED, headline=Headline.FULFILLED, right=Right.RECTIFICATION),
    **_in_both("rectified-in-part", *CORRECTED_IN_PART, headline=Headline.PARTLY_FULFILLED, right=Right.RECTIFICATION),
    **_in_both("rectification-refused", *NOT_CORRECTED, headline=Headline.REFUSED, right=Right.RECTIFICATION),
    **_in_both("partly", *MIXED, headline=Headline.PARTLY_FULFILLED, reference="TICKET-42"),
    **_in_both("fulfilled", *DONE, headline=Headline.FULFILLED),
    **_in_both("copied", *COPIED, headline=Headline.FULFILLED, right=Right.ACCESS),
    **_in_both("nothing-found", *NOWHERE, headline=Headline.NOTHING_FOUND),
    **_in_both("access-nothing-found", *NOWHERE, headline=Headline.NOTHING_FOUND, right=Right.ACCESS),
    **_in_both("access-refused", *NOT_COPIED, headline=Headline.REFUSED, right=Right.ACCESS),
    **_in_both("not-searched-everywhere", *SOME_UNSEARCHED, headline=Headline.PARTLY_FULFILLED),
    **_in_both("nothing-found-in-part", *NOWHERE, UNSEARCHED, headline=Headline.PARTLY_FULFILLED),
    **_in_both("not-searched", UNSEARCHED, headline=Headline.NOT_FULFILLED),
    **_in_both("not-live", *DONE, headline=Headline.FULFILLED, livemode=False),
    **_acknowledged("erasure", reference="TICKET-42"),
    **_acknowledged("access", right=Right.ACCESS),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_letter_reads_as_its_golden_one(name: str) -> None:
    letter = write(CASES[name])
    assert f"Subject: {letter.subject}\n\n{letter.text}" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


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
