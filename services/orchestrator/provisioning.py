"""Keeps the topics on the broker as the contracts say: the fixed ones and one for each processor that is enrolled."""

import asyncio
from collections.abc import Sequence

from aiokafka.errors import KafkaError

from services.chassis.kafka import topics
from services.chassis.log import describe, get_logger
from services.chassis.loops import Wake
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory

log = get_logger(__name__)

ENROL_WITHIN = 8.0


class Provisioner:
    """A slow loop's step, and what an enrolment calls at once."""

    def __init__(self, deps: Dependencies) -> None:
        """Provision the broker of `deps`."""
        self._deps = deps
        self._wrong: dict[str, int] = {}
        self.wake = Wake()

    async def ping(self) -> None:
        """Raise while a topic has other partitions than it is born with."""
        if self._wrong:
            raise WrongTopics

    async def step(self) -> int:
        """Make what is missing; say which topics have other partitions than they are born with."""
        async with self._deps.database.connection() as connection:
            directory = await Directory.read(connection, self._deps.root)
        enrolled = [one.id for one in directory.values() if one.state != "retired"]
        try:
            await self._ensure(enrolled, fixed=True)
        except topics.WrongPartitions as error:
            self._tell(error)
        else:
            self._wrong = {}
        return 0

    async def one(self, processor: str) -> None:
        """Make one processor's topic; if the broker is away, the loop makes it later."""
        try:
            async with asyncio.timeout(ENROL_WITHIN):
                await self._ensure([processor], fixed=False)
        except (KafkaError, TimeoutError, OSError) as error:
            log.warning("topic.made_later", processor=processor, error=describe(error))
            self.wake.set()
        except topics.WrongPartitions as error:
            self._tell(error)

    def _tell(self, error: topics.WrongPartitions) -> None:
        """Say it once for each topic; readiness says it for as long as it is so."""
        for name in error.found.keys() - self._wrong.keys():
            log.error("topic.wrong_partitions", topic=name, partitions=error.found[name])
        self._wrong = error.found

    async def _ensure(self, processors: Sequence[str], *, fixed: bool) -> None:
        settings = self._deps.settings
        specs = [topics.task_spec(settings.namespace, one) for one in processors]
        if fixed:
            specs = [*topics.fixed_specs(settings.namespace), *specs]
        await topics.ensure(settings.brokers, specs, replication=settings.replication)


class WrongTopics(RuntimeError):
    """A topic has to be made anew; the log says which."""
