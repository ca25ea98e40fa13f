"""Keeping mails."""

from pathlib import Path

from services.sandbox.smtp.mailbox import Mailbox

PLAIN = b"Subject: =?utf-8?q?=C3=A9=C3=A9n?=\r\nMessage-ID: <a@b>\r\n\r\nHello\r\n"


def test_each_recipient_gets_the_message_and_one_file_holds_it(tmp_path: Path) -> None:
    kept = Mailbox(tmp_path).keep("from@example.com", ["a@example.com", "b@example.com"], PLAIN)
    assert [(one.to, one.subject, one.text.strip(), one.html) for one in kept] == [
        ("a@example.com", "één", "Hello", ""),
        ("b@example.com", "één", "Hello", ""),
    ]
    assert {one.file for one in kept} == {"000001.eml"}
    assert (tmp_path / "000001.eml").read_bytes() == PLAIN


def test_files_are_never_overwritten(tmp_path: Path) -> None:
    for expected in ("000001.eml", "000002.eml"):
        mailbox = Mailbox(tmp_path)
        assert mailbox.keep("from@example.com", ["a@example.com"], PLAIN)[0].file == expected
        mailbox.clear()
        assert mailbox.mails() == []


def test_addresses_are_compared_in_any_case(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.keep("from@example.com", ["Ann@example.com"], PLAIN)
    assert len(mailbox.mails("ann@EXAMPLE.com")) == 1
    assert mailbox.mails("bea@example.com") == []
