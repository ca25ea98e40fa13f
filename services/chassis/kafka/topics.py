"""Makes topics on purpose, with the partitions they are born with, and refuses to run on ones that differ."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from contracts.topics import FIXED, TASKS, Topic
from services.chassis.kafka.brokers import Brokers
from services.chassis.log import get_logger

log = get_logger(__name__)

REQUEST_TIMEOUT_MS = 10_000
LOOKS = 50  # at a topic that exists and is not told of yet
LOOK_AGAIN = 0.1  # seconds


class WrongPartitions(RuntimeError):
    """Topics have another number of partitions than they are born with: keys would lose their order.

    `found` has how many each of them has.
    """

    def __init__(self, message: str, found: Mapping[str, int]) -> None:
        """Take what to say, and what was found."""
        super().__init__(message)
        self.found = dict(found)


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it must be on the broker."""

    name: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)


def spec_of(topic: Topic, namespace: str, processor: str | None = None) -> TopicSpec:
    """Return how `topic` must be on the broker."""
    if topic.retention_ms is None:
        configs = {"cleanup.policy": "compact"}
    else:
        configs = {"cleanup.policy": "delete", "retention.ms": str(topic.retention_ms)}
    return TopicSpec(topic.named(namespace, processor), topic.partitions, configs)


def fixed_specs(namespace: str) -> list[TopicSpec]:
    """Return the topics that every installation has."""
    return [spec_of(topic, namespace) for topic in FIXED]


def task_spec(namespace: str, processor: str) -> TopicSpec:
    """Return the topic of one processor."""
    return spec_of(TASKS, namespace, processor)


async def ensure(brokers: Brokers, specs: Sequence[TopicSpec], *, replication: int | None = None) -> list[str]:
    """Create what is missing, then assert all of it; return the names created.

    `replication` None is three, or as many as there are brokers (aiokafka cannot ask for the broker's default).

    Raises `WrongPartitions`, or a `KafkaError` when the broker cannot be reached.
    """
    admin = _admin(brokers)
    await admin.start()
    try:
        counts = await _partitions(admin)
        missing = [spec for spec in specs if spec.name not in counts]
        made: list[str] = []
        if missing:
            copies = replication or min(3, len((await admin.describe_cluster())["brokers"]))
            there = await _create(admin, missing, copies)
            made = [spec.name for spec in missing if spec.name not in there]
            counts |= await _seen(admin, there) if there else {}
        for name in made:
            log.info("topic.made", topic=name)
        _assert_partitions(specs, counts)
        return made
    finally:
        await admin.close()


async def absent(brokers: Brokers, names: Sequence[str]) -> list[str]:
    """Return those of `names` that the broker does not have yet."""
    admin = _admin(brokers)
    await admin.start()
    try:
        counts = await _partitions(admin)
        return [name for name in names if name not in counts]
    finally:
        await admin.close()


async def cluster_id(brokers: Brokers) -> str:
    """Return the id of the cluster that answers."""
    admin = _admin(brokers)
    await admin.start()
    try:
        described = await admin.describe_cluster()
        return str(described["cluster_id"])
    finally:
        await admin.close()


def _durable(replication: int) -> dict[str, str]:
    """Return the setting that makes acks=all mean more than one copy wherever there are more."""
    return {"min.insync.replicas": str(max(1, replication - 1))}


def _admin(brokers: Brokers) -> AIOKafkaAdminClient:
    return AIOKafkaAdminClient(**brokers.options(), request_timeout_ms=REQUEST_TIMEOUT_MS)


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, int]:
    described = await admin.describe_topics()
    return {one["topic"]: len(one["partitions"]) for one in described if one["error_code"] == 0}


def _assert_partitions(specs: Sequence[TopicSpec], counts: Mapping[str, int]) -> None:
    wrong = [spec for spec in specs if counts.get(spec.name, spec.partitions) != spec.partitions]
    if wrong:
        told = (f"{one.name} has {counts[one.name]} partitions instead of {one.partitions}" for one in wrong)
        msg = f"{', '.join(told)}: make it anew"
        raise WrongPartitions(msg, {one.name: counts[one.name] for one in wrong})


async def _seen(admin: AIOKafkaAdminClient, names: AbstractSet[str]) -> dict[str, int]:
    """Return the partitions of topics that exist, though the broker that was asked had not heard of them yet."""
    counts: dict[str, int] = {}
    for _ in range(LOOKS):
        counts = await _partitions(admin)
        if names <= counts.keys():
            break
        await asyncio.sleep(LOOK_AGAIN)
    return counts


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replication: int) -> set[str]:
    """Create topics; return the names of those that somebody had created already."""
    answer = await admin.create_topics(
        [
            NewTopic(spec.name, spec.partitions, replication, topic_configs={**spec.configs, **_durable(replication)})
            for spec in specs
        ]
    )
    there = set()
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            there.add(name)
        elif code != 0:
            raise error if issubclass(error, KafkaError) else KafkaError(error)
    return there
