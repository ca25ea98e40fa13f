"""One SMTP connection, command by command: everything up to RCPT may be repeated, DATA is said once."""

import asyncio
import re
import time

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientRefused, SMTPResponseException

from services.chassis.log import describe
from services.notifier.channels.email.composing import Mail
from services.notifier.channels.email.server import Server

QUIT_WITHIN = 2.0
# RFC 3463, X.7: security or policy, such as "relay access denied". It is about us, not about the recipient.
_POLICY = "5.7."
_ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?= |$|\n)")


class Postponed(Exception):
    """Nothing left; it may go well another time. `lost` says that the connection itself was the trouble."""

    def __init__(self, reason: str, *, lost: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lost = lost


class NotDeliverable(Exception):
    """The server said that it will never take it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAnswer(Exception):
    """DATA was said and nothing that can be relied on came back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Session:
    """A connection to the server. After an exception the transaction is void; `reset` or `close` it."""

    def __init__(self, server: Server) -> None:
        """Connect at the first `offer`."""
        self._server = server
        self._smtp: aiosmtplib.SMTP | None = None
        self.carried = 0
        self.used_at = time.monotonic()

    @property
    def connected(self) -> bool:
        """Whether the connection still stands, as far as this side knows."""
        return self._smtp is not None and self._smtp.is_connected

    async def offer(self, mail: Mail) -> None:
        """Say MAIL and RCPT, with exactly one recipient; raise `Postponed` or `NotDeliverable`."""
        smtp = await self._open()
        international = mail.international
        if international and not smtp.supports_extension("smtputf8"):
            raise NotDeliverable("5.6.7")  # RFC 6531: the server can not take an address with such characters
        options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
        encoding = "utf-8" if international else "ascii"
        try:
            await smtp.mail(mail.sender, options=options, encoding=encoding)
            await smtp.rcpt(mail.recipient, encoding=encoding)
        except SMTPRecipientRefused as error:
            word = _word(error.code, error.message)
            if 500 <= error.code < 600 and not word.startswith(_POLICY):  # a permanent reply about the recipient
                raise NotDeliverable(word) from None
            raise Postponed(word) from None
        except SMTPResponseException as error:
            # A refusal of the sender is about us and would hit everybody: it must not turn into bounces.
            raise Postponed(_word(error.code, error.message), lost=error.code in {421, -1}) from None
        except (SMTPException, OSError, TimeoutError) as error:
            raise Postponed(describe(error), lost=True) from None
        except ValueError:
            raise NotDeliverable("malformed_address") from None

    async def hand_over(self, content: bytes) -> None:
        """Say DATA and the message; raise `Postponed`, `NotDeliverable` or, where nobody can know, `NoAnswer`."""
        smtp = self._smtp
        if smtp is None:
            raise NoAnswer("connection_lost")
        try:
            await smtp.data(content, timeout=self._server.data_timeout)
        except aiosmtplib.SMTPReadTimeoutError:
            raise NoAnswer("timeout") from None
        except SMTPResponseException as error:
            if 400 <= error.code < 500:
                raise Postponed(_word(error.code, error.message), lost=error.code == 421) from None
            if 500 <= error.code < 600:
                raise NotDeliverable(_word(error.code, error.message)) from None
            raise NoAnswer("malformed_reply") from None
        except (SMTPException, OSError, TimeoutError):
            raise NoAnswer("connection_lost") from None
        self.carried += 1
        self.used_at = time.monotonic()

    async def reset(self) -> bool:
        """Void the transaction at hand; return whether the connection can be used again."""
        if self._smtp is None or not self._smtp.is_connected:
            return False
        try:
            await self._smtp.rset()
        except (SMTPException, OSError, TimeoutError):
            self._drop()
            return False
        self.used_at = time.monotonic()
        return True

    async def close(self) -> None:
        """Say goodbye, briefly."""
        if self._smtp is not None and self._smtp.is_connected:
            try:
                async with asyncio.timeout(QUIT_WITHIN):
                    await self._smtp.quit()
            except (SMTPException, OSError, TimeoutError):
                pass
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _open(self) -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        smtp = self._server.client()
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except (SMTPException, OSError, TimeoutError) as error:
            smtp.close()
            raise Postponed(describe(error), lost=True) from None
        self._smtp = smtp
        self.carried = 0
        return smtp


def _word(code: int, message: str) -> str:
    """Return the enhanced status code of a reply, or its plain code; never its text, which may quote the address."""
    match = _ENHANCED.match(message)
    return match[0] if match and match[1] == str(code)[0] else f"smtp_{code}"
