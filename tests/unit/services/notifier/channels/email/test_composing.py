"""A mail has one recipient, one id and two forms, whatever was written into it."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from habeas.vocabulary import Language
from services.chassis.clock import ManualClock
from services.notifier.channels.email.composing import Composing
from services.notifier.handlers.ports import Letter

CLOCK = ManualClock(datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
NOTICE = "ntc_01M7W4N5E0HEV9329RDEEQ8F70"


def letter(to: str = "jane@example.com", **more: Any) -> Letter:
    fields = {"subject": "Your request", "text": "Hello\n", "html": "<p>Hello</p>", "language": Language.ENGLISH}
    return Letter(notice_id=NOTICE, to=to, **{**fields, **more})


def composing(name: str = "Example Controller") -> Composing:
    return Composing(name=name, address="privacy@example.org", reply_to="help@example.org", clock=CLOCK)


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_same_notice_makes_the_same_message_id() -> None:
    first, second = (parsed(composing().compose(letter()).content) for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"] == f"<{NOTICE}@example.org>"


def test_a_mail_has_both_forms_and_says_that_a_machine_sent_it() -> None:
    mail = parsed(composing().compose(letter(text="Höi €\n", html="<p>Höi</p>")).content)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines() == ["Höi €"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "help@example.org"
    assert mail["Date"].datetime == CLOCK.now()


def test_everything_is_seven_bit_unless_the_address_is_not() -> None:
    plain = composing("Zoë's Bureau").compose(letter(text="Höi\n", subject="Wissing voltooid é"))
    assert plain.content.isascii()
    assert not plain.international
    assert composing().compose(letter("jörg@example.com")).international


@given(name=st.text(min_size=1, max_size=60), text=st.text(max_size=300), html=st.text(max_size=300))
def test_nothing_that_is_written_adds_a_header_or_a_recipient(name: str, text: str, html: str) -> None:
    try:
        mail = composing(name).compose(letter(text=text, html=html))
    except ValueError:
        return  # a name with line breaks is refused where the service starts
    message = parsed(mail.content)
    assert set(message) == {
        "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert [address.addr_spec for address in message["To"].addresses] == ["jane@example.com"]
    assert [address.addr_spec for address in message["From"].addresses] == ["privacy@example.org"]
