"""The orchestrator makes its topics, and is not ready while one is not as it was born."""

from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import REPORTS
from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.orchestrator.provisioning import Provisioner, WrongTopics
from tests.integration.services.orchestrator.conftest import Api
from tests.waiting import until


@pytest.fixture
def provisioner(api: Api, kafka_bootstrap: str, namespace: str) -> Provisioner:
    settings = api.deps.settings.model_copy(update={"kafka_bootstrap": kafka_bootstrap, "namespace": namespace})
    return Provisioner(replace(api.deps, settings=settings))


async def test_a_topic_with_other_partitions_makes_it_unready_until_it_is_made_anew(
    provisioner: Provisioner, kafka_bootstrap: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    born = topics.spec_of(REPORTS, namespace)
    await topics.ensure(Brokers(kafka_bootstrap), [replace(born, partitions=1)])
    for _ in range(3):
        await provisioner.step()
    with pytest.raises(WrongTopics):
        await provisioner.ping()
    told = [getattr(one, "habeas", None) for one in caplog.records if one.message == "topic.wrong_partitions"]
    assert told == [{"topic": born.name, "partitions": 1}]
    assert await topics.absent(Brokers(kafka_bootstrap), [one.name for one in topics.fixed_specs(namespace)]) == []

    async def mended() -> bool:
        await provisioner.step()
        try:
            await provisioner.ping()
        except WrongTopics:
            return False
        return True

    await delete(kafka_bootstrap, born.name)
    await until(mended)


async def delete(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def test_an_enrolment_goes_on_where_its_topic_is_wrong(
    provisioner: Provisioner, kafka_bootstrap: str, namespace: str
) -> None:
    await topics.ensure(Brokers(kafka_bootstrap), [replace(topics.task_spec(namespace, "crm-eu"), partitions=1)])
    await provisioner.one("crm-eu")
    with pytest.raises(WrongTopics):
        await provisioner.ping()
