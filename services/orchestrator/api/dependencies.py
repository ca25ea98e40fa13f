"""What the API is made of, handed in once by `app`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.chassis.dead_letters import DeadLetters
from services.chassis.health import Health
from services.chassis.objects import ObjectStore
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.file_requests import Filer

PACKAGES_AT_ONCE = 4  # each takes a few tens of megabytes of memory


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """`operations` is what use cases need; `provision` makes the topic of a processor, however often it is asked.

    `exports` is where copies of data lie, None where no place is set up; `packages` counts how many more may be sent at
    the same time.
    """

    operations: Dependencies
    filer: Filer
    health: Health
    dead_letters: DeadLetters
    provision: Callable[[str], Awaitable[None]]
    exports: ObjectStore | None = None
    packages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PACKAGES_AT_ONCE))
