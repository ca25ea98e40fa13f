"""What the use cases need of the store and of a channel."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from contracts.notices import NoticeDue
from habeas.vocabulary import Language
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Connection
from services.notifier.domain.notices import Answered, Claim, Tried, Verdict

Announce = Callable[[Sequence[Answered]], list[Outgoing]]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A notice as it came, with the trace that it belongs to."""

    due: NoticeDue
    traceparent: str | None


class NoticeIntake(Protocol):
    """The store, as the consumer's handler uses it: in the caller's transaction."""

    async def keep(self, connection: Connection, arrived: Sequence[Arrived]) -> None:
        """Store notices, each id at most once; a dispatch that is not later than the stored one changes nothing."""

    async def repeat(self, connection: Connection, dispatches: Sequence[tuple[str, int]]) -> list[Answered]:
        """Return those of the notices (id, dispatch number) that were answered before."""

    async def announce(self, connection: Connection, messages: Sequence[Outgoing]) -> None:
        """Put messages into the outbox."""


class SendingStore(Protocol):
    """The store, as a sender uses it: each call is a transaction of its own."""

    async def claim(self, worker: str, limit: int) -> list[Claim]:
        """Claim notices that are due."""

    async def hand_over(self, worker: str, claims: Sequence[Claim]) -> set[str]:
        """Commit that messages are about to leave; return the ids of those that may."""

    async def record(self, tries: Sequence[Tried]) -> list[Answered]:
        """Store what tries came to and announce the answers, in one transaction; return these."""

    async def take_over(self, limit: int) -> tuple[int, list[Answered]]:
        """Free claims of senders that are gone (their number); hold and announce what they were handing over."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is a mail: one recipient, a subject, and the same words as plain text and as HTML."""

    notice_id: str
    to: str = field(repr=False)
    language: Language
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class Channel(Protocol):
    """Hands letters over to somebody who delivers them."""

    async def deliver(self, letter: Letter, may_leave: Callable[[], Awaitable[bool]]) -> Verdict:
        """Try once. `may_leave` is asked just before the message leaves; where it says no, nothing does."""

    async def close(self) -> None:
        """Let the connections go."""


@dataclass(frozen=True, slots=True)
class Unwritable:
    """There will never be a letter, for this reason."""

    reason: str


class Renderer(Protocol):
    """Puts content into the words of a language."""

    def render(self, template: str, language: Language, content: Mapping[str, object]) -> tuple[str, str]:
        """Return the letter `template` as plain text and as HTML; `content` is data, never a template."""
