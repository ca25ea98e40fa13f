"""The mails that were taken, in memory and as files."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True)
class Mail:
    """One message as one recipient got it; `file` is the name of its .eml."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    message_id: str
    at: str
    file: str

    def as_json(self) -> dict[str, str]:
        """For the control API."""
        return {
            "to": self.to,
            "from": self.sender,
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "message_id": self.message_id,
            "at": self.at,
        }


class Mailbox:
    """All mails of one sandbox; files `<folder>/<n>.eml` go on counting after a restart."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._mails: list[Mail] = []
        self._number = max((int(one.stem) for one in folder.glob("*.eml")), default=0)

    def keep(self, sender: str, recipients: list[str], content: bytes) -> list[Mail]:
        """Store a message, once per recipient."""
        self._number += 1
        file = self._folder / f"{self._number:06d}.eml"
        file.write_bytes(content)
        message = message_from_bytes(content, policy=policy.default)
        mails = [
            Mail(
                to=recipient,
                sender=sender,
                subject=str(message["Subject"] or ""),
                text=_body(message, "plain"),
                html=_body(message, "html"),
                message_id=str(message["Message-ID"] or ""),
                at=datetime.now(UTC).isoformat(),
                file=file.name,
            )
            for recipient in recipients
        ]
        self._mails += mails
        return mails

    def mails(self, to: str | None = None) -> list[Mail]:
        """What came, oldest first, for one address or for all."""
        return [mail for mail in self._mails if to is None or mail.to.lower() == to.lower()]

    def clear(self) -> None:
        """Forget the mails; their files stay."""
        self._mails.clear()


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
