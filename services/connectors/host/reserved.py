"""Free places of the worker, kept for tasks that a consumer is about to store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.connectors.domain.claimed import Claimed
from services.connectors.host.served import Served


@dataclass(slots=True)
class Reserved:
    """A place at `served` for each of `ids`, stored as held by `worker`; `tasks` are those, as they are stored."""

    served: Served | None = None
    worker: str | None = None
    ids: Sequence[str] = ()
    tasks: list[Claimed] = field(default_factory=list)
