"""Makes a mail of a letter: one recipient, a Message-ID that follows from the notice, plain text beside the HTML."""

from dataclasses import dataclass, field
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from services.chassis.clock import Clock
from services.notifier.channels.email.addresses import one_address
from services.notifier.handlers.ports import Letter


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail ready to leave. `international`: its recipient needs a server that speaks SMTPUTF8 (RFC 6531)."""

    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)
    international: bool = False


class Composing:
    """Composes mails in the name of one sender."""

    def __init__(self, *, name: str, address: str, reply_to: str, clock: Clock) -> None:
        """Send from `address`, shown as `name`; raises `MalformedAddress` for an address that is none."""
        sender = one_address(address)
        self._from = Address(display_name=name, username=sender.username, domain=sender.domain)
        self._reply_to = one_address(reply_to) if reply_to else None
        self._clock = clock

    def compose(self, letter: Letter) -> Mail:
        """Return the mail; raise `MalformedAddress`. Everything but an international address is 7-bit."""
        to = one_address(letter.to)
        international = not to.username.isascii()
        message = EmailMessage(policy=policy.SMTPUTF8 if international else policy.SMTP)
        message["From"] = self._from
        message["To"] = to
        if self._reply_to is not None:
            message["Reply-To"] = self._reply_to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{letter.notice_id}@{self._from.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
        message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
        message.add_alternative(letter.html, subtype="html", charset="utf-8", cte="quoted-printable")
        message["Content-Language"] = letter.language.value  # after the parts, which would take it along
        return Mail(self._from.addr_spec, to.addr_spec, message.as_bytes(), international)
