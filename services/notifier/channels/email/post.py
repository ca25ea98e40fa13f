"""The post: carries letters as mails over a few connections that are kept between them."""

import time
from collections.abc import Awaitable, Callable

from services.chassis.log import get_logger
from services.notifier.channels.email.addresses import MalformedAddress
from services.notifier.channels.email.composing import Composing, Mail
from services.notifier.channels.email.server import Server
from services.notifier.channels.email.session import NoAnswer, NotDeliverable, Postponed, Session
from services.notifier.domain.notices import Bounced, Later, Sent, Unknown, Verdict
from services.notifier.handlers.ports import Letter

log = get_logger(__name__)

KEPT_FOR = 20.0  # seconds without use; servers hang up after some minutes, and a dead connection costs a try
CARRIES = 100  # mails before a connection is renewed


class Post:
    """A channel. It opens no more connections than letters are delivered at once."""

    def __init__(self, server: Server, composing: Composing) -> None:
        """Connect to `server` when there is something to deliver."""
        self._server = server
        self._composing = composing
        self._idle: list[Session] = []
        self._reachable = True

    @property
    def reachable(self) -> bool:
        """Whether the server could be spoken with when it was last tried."""
        return self._reachable

    async def deliver(self, letter: Letter, may_leave: Callable[[], Awaitable[bool]]) -> Verdict:
        """Try once. `may_leave` is asked just before DATA; where it says no, nothing leaves."""
        try:
            mail = self._composing.compose(letter)
        except MalformedAddress:
            return Bounced("malformed_address")
        try:
            session = await self._offered(mail)
        except Postponed as postponed:
            return Later(postponed.reason)
        except NotDeliverable as refusal:
            return Bounced(refusal.reason)
        return await self._hand_over(session, mail, may_leave)

    async def close(self) -> None:
        """Hang up."""
        idle, self._idle = self._idle, []
        for session in idle:
            await session.close()

    async def _hand_over(self, session: Session, mail: Mail, may_leave: Callable[[], Awaitable[bool]]) -> Verdict:
        try:
            if not await may_leave():
                await self._spare(session, keep=True)
                return Later("taken_over")
            await session.hand_over(mail.content)
        except Postponed as postponed:
            await self._spare(session, keep=not postponed.lost)
            return Later(postponed.reason)
        except NotDeliverable as refusal:
            await self._spare(session, keep=True)
            return Bounced(refusal.reason)
        except NoAnswer as silence:
            await session.close()
            return Unknown(silence.reason)
        except BaseException:
            await session.close()
            raise
        await self._keep(session)
        return Sent()

    async def _offered(self, mail: Mail) -> Session:
        """Return a session that waits for DATA. A kept connection may have died meanwhile: then once more, afresh."""
        kept = await self._take()
        if kept is not None:
            try:
                return await self._offer(kept, mail)
            except Postponed as postponed:
                if not postponed.lost:
                    raise
        return await self._offer(Session(self._server), mail)

    async def _offer(self, session: Session, mail: Mail) -> Session:
        try:
            await session.offer(mail)
        except Postponed as postponed:
            self._note(reachable=not postponed.lost, reason=postponed.reason)
            await self._spare(session, keep=not postponed.lost)
            raise
        except NotDeliverable:
            await self._spare(session, keep=True)
            raise
        except BaseException:
            await session.close()
            raise
        self._note(reachable=True, reason=None)
        return session

    async def _take(self) -> Session | None:
        while self._idle:
            session = self._idle.pop()
            if session.connected and time.monotonic() - session.used_at < KEPT_FOR:
                return session
            await session.close()
        return None

    async def _spare(self, session: Session, *, keep: bool) -> None:
        """Put a session back whose transaction was broken off, if it still works."""
        if keep and await session.reset():
            await self._keep(session)
        else:
            await session.close()

    async def _keep(self, session: Session) -> None:
        if session.connected and session.carried < CARRIES:
            self._idle.append(session)
        else:
            await session.close()

    def _note(self, *, reachable: bool, reason: str | None) -> None:
        """Log when the server goes away and when it is back, not at every try in between."""
        if reachable != self._reachable:
            self._reachable = reachable
            if reachable:
                log.info("smtp.back")
            else:
                log.warning("smtp.away", reason=reason)
