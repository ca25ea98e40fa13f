"""The mail sink over SMTP."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from tests.integration.services.sandbox.conftest import Running, until


@pytest.fixture
def smtp(sandbox: Running) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP("127.0.0.1", sandbox.ports["smtp_port"], timeout=60)
    yield client
    client.close()


def letter(to: str = "anna@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "privacy@example.org", to, "Vraag één"
    message["Message-ID"] = "<ntc-1@example.org>"
    message.set_content("Tekst")
    message.add_alternative("<p>Tekst</p>", subtype="html")
    return message


def mails(sandbox: Running, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control.get("/mails", params=params).json()["mails"]
    return found


def test_a_message_is_kept_readable_and_on_the_ledger(sandbox: Running, smtp: smtplib.SMTP) -> None:
    smtp.send_message(letter())
    mail = mails(sandbox, to="Anna@example.com")[0]
    assert (mail["from"], mail["to"], mail["subject"]) == ("privacy@example.org", "anna@example.com", "Vraag één")
    assert (mail["text"].strip(), mail["html"].strip()) == ("Tekst", "<p>Tekst</p>")
    assert mail["message_id"] == "<ntc-1@example.org>"
    line = sandbox.effects("smtp")[0]
    assert (line["effect"], line["person"], line["key"]) == ("message.accepted", "anna@example.com", mail["message_id"])
    assert b"ntc-1@example.org" in (sandbox.folder / "mail" / line["target"]).read_bytes()
    assert mails(sandbox, to="other@example.com") == []


def test_greylisting_puts_off_the_first_tries(sandbox: Running, smtp: smtplib.SMTP) -> None:
    sandbox.turn("smtp", greylist=2)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as put_off:
            smtp.send_message(letter())
        assert put_off.value.recipients["anna@example.com"][0] == 450
    smtp.send_message(letter())
    assert len(mails(sandbox)) == 1


@pytest.mark.parametrize(("knob", "code"), [("fail_4xx", 451), ("fail_5xx", 550)])
def test_a_refused_recipient_gets_nothing(sandbox: Running, smtp: smtplib.SMTP, knob: str, code: int) -> None:
    sandbox.turn("smtp", **{knob: 1})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.send_message(letter())
    assert refused.value.recipients["anna@example.com"][0] == code
    assert mails(sandbox) == []


def test_a_connection_dropped_after_the_final_dot_leaves_the_message(sandbox: Running, smtp: smtplib.SMTP) -> None:
    sandbox.turn("smtp", drop_reply=1)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        smtp.send_message(letter())
    assert len(mails(sandbox)) == len(sandbox.effects("smtp")) == 1


@pytest.mark.parametrize(("knob", "kept"), [("hang", 0), ("hang_after", 1)])
def test_silence_after_the_final_dot(sandbox: Running, smtp: smtplib.SMTP, knob: str, kept: int) -> None:
    sandbox.turn("smtp", **{knob: 1})
    smtp.ehlo()
    smtp.mail("privacy@example.org")
    smtp.rcpt("anna@example.com")
    assert smtp.docmd("DATA")[0] == 354
    smtp.send(letter().as_bytes(policy=SMTP) + b".\r\n")
    assert smtp.sock is not None
    smtp.sock.settimeout(0.5)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        smtp.getreply()
    until(lambda: len(mails(sandbox)) == len(sandbox.effects("smtp")) == kept)


def test_knobs_can_be_kept_to_one_recipient(sandbox: Running, smtp: smtplib.SMTP) -> None:
    sandbox.turn("smtp", fail_5xx=1, only="bob@")
    smtp.send_message(letter())
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(letter("bob@example.com"))
