"""Dead letters and consumers of this service as the API shows them."""

from collections.abc import Mapping
from typing import Any

from contracts.http import ConsumerOut, DeadLetterOut

SERVICE = "orchestrator"


def dead_letter_out(row: Mapping[str, Any]) -> DeadLetterOut:
    """Return a row of `dead_letters`, without its bytes."""
    return DeadLetterOut(
        id=row["id"],
        service=SERVICE,
        consumer=row["consumer"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        reason=row["reason"],
        proven=row["proven"],
        event=row["event_id"],
        at=row["at"],
        expires_at=row["expires_at"],
        state=row["state"],
        dealt_at=row["dealt_at"],
        dealt_by=row["dealt_by"],
        dealt_reason=row["dealt_reason"],
    )


def consumer_out(row: Mapping[str, Any]) -> ConsumerOut:
    """Return a row of `consumers`."""
    return ConsumerOut(
        name=row["name"],
        service=SERVICE,
        halted=row["halted_at"] is not None,
        halted_reason=row["halted_reason"],
        halted_at=row["halted_at"],
    )
