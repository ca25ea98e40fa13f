"""What this service reads: for each processor its own topic, in a group of its own."""

from collections.abc import Awaitable, Callable

from contracts.topics import TASKS
from services.chassis.crypto.keys import KeySource
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.consumer import BatchHandler, Ended, Taker
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.subscription import Subscription
from services.chassis.postgres.pool import Database
from services.connectors.settings import ConnectorSettings


def group_of(namespace: str, processor: str) -> str:
    """Return the consumer group of a processor's hosts."""
    group = f"habeas.connectors.{processor}"
    return f"{namespace}.{group}" if namespace else group


def subscription(
    settings: ConnectorSettings,
    processor: str,
    *,
    handler: BatchHandler,
    keys: KeySource,
    refresh: Callable[[], Awaitable[None]],
    database: Database,
    dead_letters: DeadLetters,
    ended: Ended,
) -> Subscription:
    """Return the reader of one processor's tasks."""
    topic = TASKS.named(settings.namespace, processor)
    taker = Taker(
        f"tasks.{processor}",
        handler,
        decoder=Decoder({topic: TASKS}, keys),
        refresh=refresh,
        database=database,
        dead_letters=dead_letters,
        halt_after=settings.halt_after,
        ended=ended,
    )
    return Subscription(
        taker,
        brokers=settings.brokers,
        topics=[topic],
        group=group_of(settings.namespace, processor),
        instance=settings.instance,
        session_timeout=settings.kafka_session_timeout,
    )
