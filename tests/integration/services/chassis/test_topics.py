"""Topics are made on purpose, once, and a topic that was born otherwise is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contracts.topics import FIXED, REPORTS
from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from tests.waiting import until


async def test_makes_what_is_missing_and_leaves_the_rest(kafka_bootstrap: str, namespace: str) -> None:
    specs = topics.fixed_specs(namespace)
    assert await topics.ensure(Brokers(kafka_bootstrap), specs) == [one.name for one in specs]
    assert await topics.ensure(Brokers(kafka_bootstrap), specs) == []
    assert await topics.absent(Brokers(kafka_bootstrap), [one.name for one in specs]) == []


def test_names_carry_the_namespace(namespace: str) -> None:
    assert {one.name for one in topics.fixed_specs(namespace)} == {f"{namespace}.{one.name}" for one in FIXED}


async def test_another_number_of_partitions_is_refused_by_name(kafka_bootstrap: str, namespace: str) -> None:
    born = topics.spec_of(REPORTS, namespace)
    await topics.ensure(Brokers(kafka_bootstrap), [replace(born, partitions=2)])
    with pytest.raises(topics.WrongPartitions, match=f"{born.name} has 2 partitions instead of 8"):
        await topics.ensure(Brokers(kafka_bootstrap), [born])


async def test_what_is_missing_is_made_although_another_topic_is_wrong(kafka_bootstrap: str, namespace: str) -> None:
    wrong, *others = topics.fixed_specs(namespace)
    await topics.ensure(Brokers(kafka_bootstrap), [replace(wrong, partitions=wrong.partitions + 1)])
    for _ in range(2):
        with pytest.raises(topics.WrongPartitions) as raised:
            await topics.ensure(Brokers(kafka_bootstrap), [wrong, *others])
        assert raised.value.found == {wrong.name: wrong.partitions + 1}
        await until(lambda: _all_there(kafka_bootstrap, others))  # a broker hears of new topics a little later


async def _all_there(bootstrap: str, specs: Sequence[topics.TopicSpec]) -> bool:
    return await topics.absent(Brokers(bootstrap), [one.name for one in specs]) == []


def test_each_topic_keeps_its_messages_as_long_as_the_contract_says(namespace: str) -> None:
    specs = {one.name: one for one in topics.fixed_specs(namespace)}
    processors = specs[f"{namespace}.habeas.processors.v1"]
    requests = specs[f"{namespace}.habeas.requests.v1"]
    assert processors.configs == {"cleanup.policy": "compact"}
    assert requests.configs == {"cleanup.policy": "delete", "retention.ms": str(30 * 86_400_000)}
