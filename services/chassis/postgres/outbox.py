"""The outbox: every message is a row of the transaction that decides it, so neither can happen without the other."""

import json
from collections.abc import Sequence

from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Connection

# The broker takes a record of 1 MiB; headers and framing need their share.
MAX_VALUE = 960 * 1024

_JSON = json.JSONEncoder(separators=(",", ":"))  # `json.dumps` would make one for each message

_APPEND = """
INSERT INTO outbox (topic, key, headers, value, dead)
SELECT topic, key, headers, value, CASE WHEN octet_length(value) > $5 THEN 'oversize' END
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS row(topic, key, headers, value, place)
ORDER BY place
"""


async def append(connection: Connection, messages: Sequence[Outgoing]) -> None:
    """Write `messages` in order. Call it after the aggregate's row is locked: then id order is commit order for it."""
    if messages:
        await connection.execute(
            _APPEND,
            [one.topic for one in messages],
            [one.key for one in messages],
            [_JSON.encode(dict(one.headers)) for one in messages],
            [one.value for one in messages],
            MAX_VALUE,
        )
