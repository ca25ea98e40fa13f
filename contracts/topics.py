"""Each topic once: name, key, who writes and reads it, its messages, partitions and how long it keeps them."""

from dataclasses import dataclass

from contracts.message import Message
from contracts.notices import NoticeBounced, NoticeDue, NoticeSent, NoticeUnknown
from contracts.processors import ProcessorAnnounced
from contracts.reports import TaskAccepted, TaskProgressed, TaskSettled, TaskUnsealable
from contracts.requests import (
    RequestCancelled,
    RequestCompleted,
    RequestNeedsAttention,
    RequestReceived,
    RequestStarted,
)
from contracts.tasks import TaskCancelled, TaskClosed, TaskDispatched

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `name` has a `{processor}` place where each processor has its own.

    `retention_ms` is None for a compacted topic. `fact` topics skip unknown types; on the others an unknown type is
    a dead letter, since a command that nobody understood must not vanish.
    """

    name: str
    key: str
    sender: str
    receiver: str
    messages: tuple[type[Message], ...]
    partitions: int
    retention_ms: int | None
    fact: bool = False

    def named(self, namespace: str, processor: str | None = None) -> str:
        """Return the name on the broker: `namespace` prefixes it, so that installations can share a cluster."""
        name = self.name.format(processor=processor) if processor else self.name
        return f"{namespace}.{name}" if namespace else name


TASKS = Topic(
    name="habeas.tasks.{processor}.v1",
    key="request id",
    sender="orchestrator",
    receiver="the processor's host",
    messages=(TaskDispatched, TaskCancelled, TaskClosed),
    partitions=4,
    retention_ms=7 * DAY_MS,
)
REPORTS = Topic(
    name="habeas.reports.v1",
    key="request id",
    sender="connectors",
    receiver="orchestrator",
    messages=(TaskAccepted, TaskProgressed, TaskSettled, TaskUnsealable),
    partitions=8,
    retention_ms=7 * DAY_MS,
)
REQUESTS = Topic(
    name="habeas.requests.v1",
    key="request id",
    sender="orchestrator",
    receiver="anyone",
    messages=(RequestReceived, RequestStarted, RequestNeedsAttention, RequestCompleted, RequestCancelled),
    partitions=8,
    retention_ms=30 * DAY_MS,
    fact=True,
)
NOTICES = Topic(
    name="habeas.notices.v1",
    key="case id",
    sender="orchestrator",
    receiver="notifier",
    messages=(NoticeDue,),
    partitions=4,
    retention_ms=7 * DAY_MS,
)
DELIVERIES = Topic(
    name="habeas.deliveries.v1",
    key="case id",
    sender="notifier",
    receiver="orchestrator",
    messages=(NoticeSent, NoticeBounced, NoticeUnknown),
    partitions=4,
    retention_ms=7 * DAY_MS,
)
PROCESSORS = Topic(
    name="habeas.processors.v1",
    key="processor",
    sender="connectors",
    receiver="orchestrator",
    messages=(ProcessorAnnounced,),
    partitions=1,
    retention_ms=None,
)

FIXED = (REPORTS, REQUESTS, NOTICES, DELIVERIES, PROCESSORS)
ALL = (TASKS, *FIXED)
NOTIFIER = "notifier"  # the notifier is enrolled like a processor: its keys seal notices and prove facts

MESSAGES: dict[str, type[Message]] = {model.wire_type(): model for topic in ALL for model in topic.messages}
