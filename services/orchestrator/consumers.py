"""Kafka in: which topics the orchestrator reads, and who handles them."""

from dataclasses import dataclass

from contracts.topics import DELIVERIES, PROCESSORS, REPORTS, Topic
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.consumer import BatchHandler, Taker
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.subscription import Subscription
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import EnrolledKeys
from services.orchestrator.handlers.record_announcements import RecordAnnouncements
from services.orchestrator.handlers.record_deliveries import RecordDeliveries
from services.orchestrator.handlers.record_reports import RecordReports


@dataclass(frozen=True, slots=True)
class _Reading:
    name: str
    topic: Topic
    handler: BatchHandler


def subscriptions(deps: Dependencies, dead_letters: DeadLetters) -> list[Subscription]:
    """Return one subscription for each topic that the orchestrator reads."""
    keys = EnrolledKeys(deps.database, deps.root)
    readings = [
        _Reading("orchestrator.reports", REPORTS, RecordReports(deps)),
        _Reading("orchestrator.deliveries", DELIVERIES, RecordDeliveries(deps)),
        _Reading("orchestrator.processors", PROCESSORS, RecordAnnouncements(deps)),
    ]
    return [_subscription(deps, dead_letters, keys, one) for one in readings]


def _subscription(deps: Dependencies, dead_letters: DeadLetters, keys: EnrolledKeys, reading: _Reading) -> Subscription:
    settings = deps.settings
    topic = reading.topic.named(settings.namespace)
    taker = Taker(
        reading.name,
        reading.handler,
        decoder=Decoder({topic: reading.topic}, keys),
        refresh=keys.refresh,
        database=deps.database,
        dead_letters=dead_letters,
        halt_after=settings.halt_after,
        after_commit=deps.wakes.ring,
    )
    prefix = f"{settings.namespace}." if settings.namespace else ""
    return Subscription(
        taker,
        bootstrap=settings.kafka_bootstrap,
        topics=[topic],
        group=f"{prefix}habeas.{reading.name}",
        instance=settings.instance,
        session_timeout=settings.kafka_session_timeout,
    )
