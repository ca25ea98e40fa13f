"""Claims and letters for tests of what a mail says."""

from datetime import date
from typing import Any

from contracts.notices import Recipient
from contracts.outcomes import Line
from contracts.seal import SealedNotice
from habeas.vocabulary import Checked, Disposition, Headline, Language, NoticeKind, Right
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.seal import seal
from services.notifier.channels.email.rendering import Templates
from services.notifier.domain.notices import Claim
from services.notifier.handlers.ports import Letter
from services.notifier.handlers.write_letter import Sender, WriteLetter

KEYS = ProcessorKeys.from_secret("notifier", 1, bytes(range(32)))
NOTICE = "ntc_01M7W4N5E0HEV9329RDEEQ8F70"
TEMPLATES = Templates()
SENDER = Sender(
    controller="Example Controller",
    contact="privacy@example.com",
    authority="Autoriteit Persoonsgegevens",
    authority_url="https://autoriteitpersoonsgegevens.nl",
)


def line(
    category: str, disposition: Disposition, count: int = 1, checked: Checked = Checked.VERIFIED, **more: Any
) -> Line:
    return Line(category=category, disposition=disposition, count=count, checked=checked, **more)


def recipient(title: str, *lines: Line) -> Recipient:
    return Recipient(title=title, lines=lines)


def claim(*recipients: Recipient, reference: str | None = None, sealed: str | None = None, **more: Any) -> Claim:
    fields: dict[str, Any] = {
        "notice_id": NOTICE,
        "fence": 1,
        "attempts": 1,
        "request_id": "req_01M7W4N5E0G99V3VSB6FYK3A4N",
        "livemode": True,
        "kind": NoticeKind.COMPLETION,
        "language": Language.ENGLISH,
        "right": Right.ERASURE,
        "received_on": date(2026, 11, 20),
        "due_on": date(2026, 12, 21),
        "headline": Headline.FULFILLED,
        "recipients": recipients,
        "sealed": sealed or seal(KEYS, SealedNotice(notice=NOTICE, email="jane@example.com", reference=reference)),
    }
    return Claim(**{**fields, **more})


def write(one: Claim, sender: Sender = SENDER) -> Letter:
    letter = WriteLetter(FixedKeys([KEYS]), TEMPLATES, sender).write(one)
    assert isinstance(letter, Letter)
    return letter
