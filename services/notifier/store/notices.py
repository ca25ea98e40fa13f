"""Reads and writes notices, by sets; rows are locked in the order of their ids."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from contracts.notices import Recipient
from habeas.vocabulary import Headline, Language, NoticeKind, Right
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres import outbox
from services.chassis.postgres.pool import Connection, Database
from services.chassis.postgres.queries import Queries
from services.notifier.domain.notices import Answered, Claim, Later, NoticeState, Tried, state_of
from services.notifier.handlers.ports import Announce, Arrived

SQL = Queries.load(__package__, "notices.sql")
_RECIPIENTS = TypeAdapter(tuple[Recipient, ...])


class Intake:
    """What the consumer's handler needs, in its transaction."""

    async def keep(self, connection: Connection, arrived: Sequence[Arrived]) -> None:
        """Store notices, each id at most once; a dispatch that is not later than the stored one changes nothing."""
        dues = [one.due for one in arrived]
        await connection.execute(
            SQL["keep"],
            [due.notice_id for due in dues],
            [due.case_id for due in dues],
            [due.request_id for due in dues],
            [due.livemode for due in dues],
            [due.kind.value for due in dues],
            [due.language.value for due in dues],
            [due.right.value for due in dues],
            [due.dispatch_no for due in dues],
            [due.not_after for due in dues],
            [due.received_on for due in dues],
            [due.due_on for due in dues],
            [due.headline.value if due.headline else None for due in dues],
            [_RECIPIENTS.dump_json(due.recipients).decode() for due in dues],
            [due.sealed for due in dues],
            [one.traceparent for one in arrived],
        )

    async def repeat(self, connection: Connection, dispatches: Sequence[tuple[str, int]]) -> list[Answered]:
        """Return those of the notices (id, dispatch number) that were answered before."""
        rows = await connection.fetch(SQL["repeat"], [one[0] for one in dispatches], [one[1] for one in dispatches])
        return [_answered(row) for row in rows]

    async def announce(self, connection: Connection, messages: Sequence[Outgoing]) -> None:
        """Put messages into the outbox."""
        await outbox.append(connection, messages)


class Notices:
    """What a sender needs; each call is a transaction. `announce` composes the reports of answers."""

    def __init__(self, database: Database, *, announce: Announce) -> None:
        """Work on `database`."""
        self._database = database
        self._announce = announce

    async def claim(self, worker: str, limit: int) -> list[Claim]:
        """Claim notices that are due, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["claim"], worker, limit)
        return [_claim(row) for row in rows]

    async def hand_over(self, worker: str, claims: Sequence[Claim]) -> set[str]:
        """Commit that messages are about to leave; return the ids of those that may."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                SQL["hand_over"], worker, [one.notice_id for one in claims], [one.fence for one in claims]
            )
        return {row["id"] for row in rows}

    async def record(self, tries: Sequence[Tried]) -> list[Answered]:
        """Store what tries came to and announce the answers, in one transaction; return these."""
        async with self._database.transaction() as connection:
            await _put_back(connection, tries)
            return await self._answer(connection, tries)

    async def take_over(self, limit: int) -> tuple[int, list[Answered]]:
        """Free claims of senders that are gone (their number); hold and announce what they were handing over."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(SQL["take_over"], limit)
            lost = [_answered(row) for row in rows if row["state"] == NoticeState.UNKNOWN]
            await outbox.append(connection, self._announce(lost))
        return len(rows) - len(lost), lost

    async def tidy(self, ttl: float) -> int:
        """Forget what is sealed in notices past their time or older than `ttl` seconds; return how many."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["lapse"], ttl)
            await connection.execute(SQL["forget_senders"])
        return len(rows)

    async def _answer(self, connection: Connection, tries: Sequence[Tried]) -> list[Answered]:
        answers = [(one.claim, *state_of(one.verdict)) for one in tries if not isinstance(one.verdict, Later)]
        if not answers:
            return []
        rows = await connection.fetch(
            SQL["answer"],
            [claim.notice_id for claim, _, _ in answers],
            [claim.fence for claim, _, _ in answers],
            [state.value for _, state, _ in answers],
            [reason for _, _, reason in answers],
        )
        answered = [_answered(row) for row in rows]
        await outbox.append(connection, self._announce(answered))
        return answered


async def _put_back(connection: Connection, tries: Sequence[Tried]) -> None:
    later = [(one.claim, one.wait, one.verdict.reason) for one in tries if isinstance(one.verdict, Later)]
    if later:
        await connection.execute(
            SQL["put_back"],
            [claim.notice_id for claim, _, _ in later],
            [claim.fence for claim, _, _ in later],
            [wait for _, wait, _ in later],
            [reason for _, _, reason in later],
        )


def _claim(row: Any) -> Claim:
    return Claim(
        notice_id=row["id"],
        fence=row["fence"],
        attempts=row["attempts"],
        request_id=row["request_id"],
        livemode=row["livemode"],
        kind=NoticeKind(row["kind"]),
        language=Language(row["language"]),
        right=Right(row["right"]),
        received_on=row["received_on"],
        due_on=row["due_on"],
        headline=Headline(row["headline"]) if row["headline"] else None,
        recipients=_RECIPIENTS.validate_json(row["recipients"]),
        sealed=row["sealed"],
    )


def _answered(row: Any) -> Answered:
    return Answered(
        notice_id=row["id"],
        case_id=row["case_id"],
        request_id=row["request_id"],
        livemode=row["livemode"],
        kind=NoticeKind(row["kind"]),
        dispatch_no=row["dispatch_no"],
        state=NoticeState(row["state"]),
        reason=row["reason"],
        at=row["answered_at"],
        traceparent=row["traceparent"],
    )
