"""The notifier's one consumer: due notices, proven by its enrolment."""

from collections.abc import Callable

from contracts.topics import NOTICES
from services.chassis.crypto.keys import KeySource
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.consumer import BatchHandler, Taker
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.subscription import Subscription
from services.chassis.postgres.pool import Database

NAME = "notices"


def group(namespace: str) -> str:
    """Return the consumer group's id."""
    name = f"habeas.notifier.{NAME}"
    return f"{namespace}.{name}" if namespace else name


def subscribe(
    handler: BatchHandler,
    *,
    keys: KeySource,
    database: Database,
    dead_letters: DeadLetters,
    after_commit: Callable[[], None],
    namespace: str,
    brokers: Brokers,
    instance: int,
    session_timeout: float,
    halt_after: int,
) -> Subscription:
    """Return the subscription to due notices; `after_commit` is called after each batch."""
    topic = NOTICES.named(namespace)
    taker = Taker(
        NAME,
        handler,
        decoder=Decoder({topic: NOTICES}, keys),
        refresh=keys.refresh,
        database=database,
        dead_letters=dead_letters,
        halt_after=halt_after,
        after_commit=after_commit,
    )
    return Subscription(
        taker,
        brokers=brokers,
        topics=[topic],
        group=group(namespace),
        instance=instance,
        session_timeout=session_timeout,
    )
