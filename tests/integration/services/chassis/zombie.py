"""A member of the probe's group as a process of its own, which a test stops and lets wake too late.

`python -m tests.integration.services.chassis.zombie <database> <bootstrap> <topic> <namespace> <fault point>`
"""

import asyncio
import signal
import sys

from services.chassis import faultpoints, log
from services.chassis.postgres import pool
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.test_consuming import Probe

# Shorter than the session: what a stopped member has locked is free when another gets its partitions.
IDLE_IN_TRANSACTION_MS = 2_000


async def consume(url: str, bootstrap: str, topic: str, namespace: str, specification: str) -> None:
    """Be instance 0 of the group until SIGTERM."""
    log.configure("probe", "debug")
    pool.IDLE_IN_TRANSACTION_MS = IDLE_IN_TRANSACTION_MS
    faultpoints.arm(specification, environment="test")
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    database = await Database.open(url, name="zombie")
    async with Probe(database, bootstrap, topic, namespace).running(instance=0):
        await told.wait()
    await database.close()


if __name__ == "__main__":
    asyncio.run(consume(*sys.argv[1:]))
