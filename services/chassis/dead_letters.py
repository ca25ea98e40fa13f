"""Dead letters: records that could not be taken, kept encrypted until somebody looks, redrives or discards them."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.ids import is_id
from services.chassis import metrics
from services.chassis.crypto.at_rest import Undecryptable, decrypt, encrypt
from services.chassis.crypto.keys import derive
from services.chassis.kafka.decoding import Raw, Refused
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries

log = get_logger(__name__)
SQL = Queries.load(__package__, "dead_letters.sql")

COMMAND_LINE = "command line"  # who dealt with a letter on the service's own machine, without a key


@dataclass(frozen=True, slots=True)
class Letter:
    """The record inside a dead letter, as it came."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class DeadLetters:
    """The dead letters of one service. `secret` is its key file's; `days` how long they are kept."""

    def __init__(self, secret: bytes, *, days: float) -> None:
        """Derive the key that seals them."""
        self._key = derive(secret, "habeas dead letters")
        self._days = days

    async def add(self, connection: Connection, consumer: str, refused: Sequence[Refused]) -> None:
        """Keep `refused`, once for each place on the broker, in the caller's transaction."""
        if not refused:
            return
        records = [one.record for one in refused]
        await connection.execute(
            SQL["add"],
            consumer,
            [record.topic for record in records],
            [record.partition for record in records],
            [record.offset for record in records],
            [one.reason for one in refused],
            [one.proven for one in refused],
            [_event_id(one) for one in refused],
            [encrypt(self._key, _pack(record), _place(consumer, record)) for record in records],
            self._days,
        )
        for one in refused:
            metrics.DEAD_LETTERS.labels(consumer, one.reason).inc()
            log.error(
                "record.dead_lettered",
                consumer=consumer,
                topic=one.record.topic,
                partition=one.record.partition,
                offset=one.record.offset,
                reason=one.reason,
            )

    def open(self, row: Any) -> Letter:
        """Return the record inside a row of `dead_letters`; raise `Undecryptable`."""
        place = f"dead_letters/{row['consumer']}/{row['topic']}/{row['partition']}/{row['offset']}"
        document = json.loads(decrypt(self._key, row["sealed"], place))
        return Letter(
            row["topic"],
            _unb64(document["key"]),
            _unb64(document["value"]),
            [(name, _unb64(value)) for name, value in document["headers"]],
        )

    async def redrive(self, connection: Connection, number: int, *, actor: str) -> bool:
        """Send a letter again as it came, with its event id and proof; False when it is gone or can not be sent.

        `actor` is the id of the client that wants it, or `COMMAND_LINE`.
        """
        row = await connection.fetchrow(SQL["lock_dead"], number)
        if row is None:
            return False
        try:
            letter = self.open(row)
        except Undecryptable:
            return False
        key = _key_of(letter)
        headers = {name: value.decode("latin-1") for name, value in letter.headers if value is not None}
        if key is None or letter.value is None or len(headers) != len(letter.headers):
            return False
        await connection.execute(SQL["send_again"], letter.topic, key, json.dumps(headers), letter.value)
        await connection.execute(SQL["mark"], number, "redriven", actor, None)
        return True

    async def discard(self, connection: Connection, number: int, *, actor: str, reason: str | None = None) -> bool:
        """Give a letter up, and keep who did and why; all of it goes at its expiry."""
        row = await connection.fetchrow(SQL["lock_dead"], number)
        if row is None:
            return False
        await connection.execute(SQL["mark"], number, "discarded", actor, reason)
        return True

    async def expire(self, connection: Connection) -> int:
        """Delete what has passed its time; return how many."""
        return len(await connection.fetch(SQL["expire"]))


def _key_of(letter: Letter) -> str | None:
    """Return the key as the outbox keeps it, or None where it can not: that holds text without NUL."""
    try:
        key = None if letter.key is None else letter.key.decode()
    except UnicodeDecodeError:
        return None
    return None if key is None or "\x00" in key else key


def _event_id(refused: Refused) -> str | None:
    """Return the event's id if it is one of ours: anything else is a stranger's words, which nobody checked."""
    return refused.event_id if refused.event_id is not None and is_id("evt", refused.event_id) else None


def _pack(record: Raw) -> bytes:
    return json.dumps(
        {
            "key": _b64(record.key),
            "value": _b64(record.value),
            "headers": [[name, _b64(value)] for name, value in record.headers or ()],
        }
    ).encode()


def _place(consumer: str, record: Raw) -> str:
    return f"dead_letters/{consumer}/{record.topic}/{record.partition}/{record.offset}"


def _b64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def _unb64(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
