"""A member that was stopped, and wakes when another has its partitions, takes nothing back and does nothing twice."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import REPORTS
from services.chassis.kafka import subscription, topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.conftest import Compose, produce
from tests.integration.services.chassis.test_consuming import Probe, id_of
from tests.waiting import until

ROOT = Path(__file__).parents[4]
LATE = {"consumer.commit_missed", "consumer.batch_failed"}  # what it says when it finds that it came too late


class Zombie:
    """A member as a process."""

    def __init__(self, child: asyncio.subprocess.Process, log: Path) -> None:
        self._child = child
        self._log = log

    async def stopped(self) -> bool:
        """Whether it stands still, as after SIGSTOP."""
        return bool(psutil.Process(self._child.pid).status() == psutil.STATUS_STOPPED)

    def wake(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    async def came_too_late(self) -> bool:
        """Whether it has noticed."""
        lines = self._log.read_text().splitlines()
        return bool(LATE & {json.loads(line)["event"] for line in lines})


@asynccontextmanager
async def member(probe: Probe, url: str, point: str, log: Path) -> AsyncIterator[Zombie]:
    """Run instance 0, which stops at `point`."""
    command = ("-m", "tests.integration.services.chassis.zombie", url, probe.bootstrap, probe.topic, probe.namespace)
    with log.open("wb") as file:
        child = await asyncio.create_subprocess_exec(sys.executable, *command, f"{point}:stop", cwd=ROOT, stderr=file)
    try:
        yield Zombie(child, log)
        child.terminate()
        assert await asyncio.wait_for(child.wait(), 30) == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def committed(probe: Probe) -> int:
    """Return up to where the group has read partition 0, as the broker keeps it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=probe.bootstrap)
    await admin.start()
    try:
        group = f"{probe.namespace}.probe@{await topics.cluster_id(Brokers(probe.bootstrap))}"
        place = TopicPartition(probe.topic, 0)
        found = await admin.list_consumer_group_offsets(group, partitions=[place])
        return int(found[place].offset)
    finally:
        await admin.close()


async def story(point: str, probe: Probe, url: str, producer: AIOKafkaProducer, log: Path) -> None:
    """Stop a member at `point`, let another take over, and wake the first."""
    await topics.ensure(Brokers(probe.bootstrap), [topics.spec_of(REPORTS, probe.namespace)])
    compose = Compose(probe.namespace)
    sent: list[str] = []

    async def send() -> None:
        for message in [compose.settled() for _ in range(3)]:
            await produce(producer, message, partition=0)
            sent.append(id_of(message))

    async def taken() -> bool:
        return set(sent) <= set(await probe.seen()) and await committed(probe) == len(sent)

    await send()
    async with member(probe, url, point, log) as zombie:
        await until(zombie.stopped)
        async with probe.running(instance=1):
            await send()
            await until(taken)
            zombie.wake()
            await until(zombie.came_too_late)
            assert await committed(probe) == len(sent), "it committed over the new owner"
            await send()
            await until(taken)
    rows = await probe.seen()
    assert sorted(one for one in rows if one in sent) == sorted(sent)
    assert await probe.dead() == []


async def test_wakes_when_its_session_is_over(
    probe_url: str,
    probe_database: Database,
    kafka_bootstrap: str,
    namespace: str,
    producer: AIOKafkaProducer,
    tmp_path: Path,
) -> None:
    """Each with a group and a topic of its own, side by side: most of the time goes by until the sessions are over."""
    async with asyncio.TaskGroup() as stories:
        for point in ("polled", "before_commit", "committed"):
            own = f"{namespace}{point[0]}"
            probe = Probe(probe_database, kafka_bootstrap, REPORTS.named(own), own)
            stories.create_task(story(f"consumer.{point}", probe, probe_url, producer, tmp_path / point), name=point)


async def test_two_processes_of_one_number_go_on_and_are_told_of(
    probe_database: Database,
    kafka_bootstrap: str,
    reports_topic: str,
    namespace: str,
    producer: AIOKafkaProducer,
    compose: Compose,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As when one was started twice, or wakes after it was replaced: each that joins the group puts the other out."""
    monkeypatch.setattr(subscription, "CONTESTED_PAUSE", 1.0)
    probe = Probe(probe_database, kafka_bootstrap, reports_topic, namespace)
    sent: list[str] = []

    async def all_committed() -> bool:
        return await committed(probe) == len(sent)

    async def contested() -> bool:
        message = compose.settled()
        await produce(producer, message, partition=0)
        sent.append(id_of(message))
        return "consumer.contested" in {one.message for one in caplog.records}

    async with probe.running(instance=0), replace(probe, batches=[]).running(instance=0):
        await until(contested)
        await until(all_committed)
    assert sorted(await probe.seen()) == sorted(sent)
    assert await probe.dead() == []
