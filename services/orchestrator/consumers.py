"""Kafka in: which topics the orchestrator reads, and who handles them."""

from collections.abc import Callable
from dataclasses import dataclass

from contracts.topics import DELIVERIES, PROCESSORS, REPORTS, Topic
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.consumer import BatchHandler, Ended, Taker
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
    after_commit: Callable[[], None] | None = None
    ended: Ended | None = None


def subscriptions(deps: Dependencies, dead_letters: DeadLetters) -> list[Subscription]:
    """Return one subscription for each topic that the orchestrator reads."""
    return [_subscription(deps, topic, taker) for topic, taker in takers(deps, dead_letters).items()]


def takers(deps: Dependencies, dead_letters: DeadLetters) -> dict[Topic, Taker]:
    """Return what takes the records of each topic that the orchestrator reads."""
    keys = EnrolledKeys(deps.database, deps.root)
    reports = RecordReports(deps)
    readings = [
        _Reading("orchestrator.reports", REPORTS, reports, ended=reports.ended),
        _Reading("orchestrator.deliveries", DELIVERIES, RecordDeliveries(deps), after_commit=deps.wakes.ring),
        _Reading("orchestrator.processors", PROCESSORS, RecordAnnouncements(deps), after_commit=deps.wakes.ring),
    ]
    return {one.topic: _taker(deps, dead_letters, keys, one) for one in readings}


def _taker(deps: Dependencies, dead_letters: DeadLetters, keys: EnrolledKeys, reading: _Reading) -> Taker:
    return Taker(
        reading.name,
        reading.handler,
        decoder=Decoder({reading.topic.named(deps.settings.namespace): reading.topic}, keys),
        refresh=keys.refresh,
        senders=None if reading.topic is DELIVERIES else keys.processors,
        refresh_first=True,  # a version is revoked, or a processor retired, by any process of the orchestrator
        database=deps.database,
        dead_letters=dead_letters,
        halt_after=deps.settings.halt_after,
        after_commit=reading.after_commit,
        ended=reading.ended,
    )


def _subscription(deps: Dependencies, topic: Topic, taker: Taker) -> Subscription:
    settings = deps.settings
    prefix = f"{settings.namespace}." if settings.namespace else ""
    return Subscription(
        taker,
        brokers=settings.brokers,
        topics=[topic.named(settings.namespace)],
        group=f"{prefix}habeas.{taker.name}",
        instance=settings.instance,
        session_timeout=settings.kafka_session_timeout,
    )
