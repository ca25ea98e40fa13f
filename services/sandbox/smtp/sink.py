"""The SMTP server in front of the mailbox: takes everything, unless a knob makes it difficult."""

import asyncio
from collections import Counter

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.sandbox.knobs import Dial, SmtpKnobs
from services.sandbox.ledger import Entry, Ledger
from services.sandbox.smtp.mailbox import Mailbox


class Sink:
    """aiosmtpd's handler. Chance is thrown once per recipient for refusals, once per message for the rest."""

    def __init__(self, mailbox: Mailbox, ledger: Ledger, dial: Dial[SmtpKnobs]) -> None:
        self._mailbox, self._ledger, self._dial = mailbox, ledger, dial
        self._tries: Counter[str] = Counter()

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        knobs = self._dial.knobs
        await asyncio.sleep(knobs.latency)
        self._tries[address] += 1
        if self._tries[address] <= knobs.greylist:
            return "450 4.7.1 Greylisted, please try again later"
        fate = self._dial.fate(address)
        if fate.fail_4xx:
            return "451 4.3.0 Local error in processing"
        if fate.fail_5xx:
            return "550 5.1.1 Mailbox unavailable"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the final dot: by then the message is kept and on the ledger."""
        fate = self._dial.fate(envelope.rcpt_tos[0])
        if fate.hang:
            await _silence()
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        if not fate.lie:
            mails = self._mailbox.keep(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
            self._ledger.extend([Entry("message.accepted", mail.file, mail.to, mail.message_id) for mail in mails])
        if fate.hang_after:
            await _silence()
        if fate.drop_reply:
            _cut(server)
            await _silence()
        return "250 2.0.0 OK: kept"

    def forget_tries(self) -> None:
        """Begin greylisting anew."""
        self._tries.clear()


class SmtpServer:
    """Listens on the running event loop."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            return SMTP(self._sink, hostname="sandbox.example", ident="sandbox", enable_SMTPUTF8=True, loop=loop)

        self._server = await loop.create_server(session, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def listening(self) -> bool:
        """Whether it takes connections."""
        return self._server is not None and self._server.is_serving()

    async def stop(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()


def _cut(server: SMTP) -> None:
    """Reset the connection."""
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


async def _silence() -> None:
    """Never answer; the library cancels this when the client hangs up."""
    await asyncio.Event().wait()
