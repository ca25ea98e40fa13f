"""A Kafka broker of one's own: started, stopped, killed and started again, with its data."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from habeas.local import kafka_jars, places
from habeas.local.errors import LocalStackError
from habeas.local.kafka import KafkaServer, answers, new_cluster_id
from habeas.local.supervisor import Supervisor

pytestmark = pytest.mark.slow
NewServer = Callable[[str], KafkaServer]
TOPIC = TopicPartition("kept", 0)


async def make_topic(server: KafkaServer) -> str:
    """Make the topic; the cluster's id."""
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC.topic, 1, 1)])
        described = await admin.describe_cluster()
        return str(described["cluster_id"])
    finally:
        await admin.close()


async def produce(server: KafkaServer, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=server.bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC.topic, value)
    finally:
        await producer.stop()


async def consume(server: KafkaServer) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TOPIC])
        end = (await consumer.end_offsets([TOPIC]))[TOPIC]
        return [(await consumer.getone()).value for _ in range(end)]
    finally:
        await consumer.stop()


def test_a_broker_writes_nothing_outside_its_home(new_kafka: NewServer) -> None:
    server = new_kafka("one")
    server.start()
    assert list(Path(tempfile.gettempdir()).glob(f"hsperfdata_*/{server.pid}")) == []


async def test_data_survives_stop_and_kill_and_goes_with_wipe(new_kafka: NewServer) -> None:
    server = new_kafka("one")
    server.start()
    bootstrap = server.bootstrap
    first_id = await make_topic(server)
    await produce(server, b"one")
    server.stop()
    assert server.pid is None
    assert not answers(server.port)
    server.start()
    await produce(server, b"two")
    server.kill()
    assert server.pid is None
    server.start()
    assert server.bootstrap == bootstrap
    assert await consume(server) == [b"one", b"two"]
    server.wipe()
    server.start()
    assert await make_topic(server) != first_id
    assert await consume(server) == []


async def test_topics_are_not_made_by_asking_for_them(new_kafka: NewServer) -> None:
    server = new_kafka("one")
    server.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        with pytest.raises(UnknownTopicOrPartitionError):
            await produce_once(server)
        assert await admin.list_topics() == []
    finally:
        await admin.close()


async def produce_once(server: KafkaServer) -> None:
    """Ask for the topic's partitions as a client does, without a client's patience."""
    producer = AIOKafkaProducer(bootstrap_servers=server.bootstrap)
    await producer.start()
    try:
        await producer.client.add_topic(TOPIC.topic)
        if not producer.client.cluster.partitions_for_topic(TOPIC.topic):
            raise UnknownTopicOrPartitionError
    finally:
        await producer.stop()


def test_two_brokers_side_by_side(new_kafka: NewServer) -> None:
    first, second = new_kafka("first"), new_kafka("second")
    with ThreadPoolExecutor() as pool:
        for started in [pool.submit(first.start), pool.submit(second.start)]:
            started.result()
    assert len({first.port, first.controller_port, second.port, second.controller_port}) == 4
    first.kill()
    assert answers(second.port)


def test_an_interrupted_format_is_done_again(new_kafka: NewServer) -> None:
    server = new_kafka("one")
    (server.home / "data.partial").mkdir()
    (server.home / "data.partial" / "meta.properties").write_text("half")
    server.start()
    assert answers(server.port)


def test_a_start_that_fails_names_the_log(new_kafka: NewServer) -> None:
    server = new_kafka("one")
    server.data.mkdir()  # never formatted
    with pytest.raises(LocalStackError, match=f"Kafka did not start; the reason is at the end of {server.log}"):
        server.start()
    assert server.pid is None


def test_cluster_ids_are_in_kafkas_form() -> None:
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(one) == 22 and not one.startswith("-") for one in ids)


def test_jars_that_cannot_be_had_are_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supervisor: Supervisor
) -> None:
    failing = tmp_path / "bin" / "mvn"
    failing.parent.mkdir()
    failing.write_text("#!/bin/sh\necho '[ERROR] no route to host'; exit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", str(failing.parent), prepend=":")
    monkeypatch.setattr(places, "cache_folder", lambda: tmp_path / "cache")
    log = tmp_path / "kafka.log"
    with pytest.raises(LocalStackError, match="Maven could not get Kafka's jars"):
        kafka_jars.kafka_jars(supervisor, log)
    assert "no route to host" in log.read_text()
    failing.write_text("#!/bin/sh\necho $*\nfor last; do :; done\ntouch ${last#-DoutputDirectory=}/kafka.jar\n")
    assert [jar.name for jar in kafka_jars.kafka_jars(supervisor, log)] == ["kafka.jar"]
    assert f"-Dmaven.repo.local={tmp_path / 'cache' / 'maven'} " in log.read_text()
