"""What the API is made of, handed in once by `app`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.chassis.dead_letters import DeadLetters
from services.chassis.health import Health
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.file_requests import Filer


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """`operations` is what use cases need; `provision` makes the topic of a processor, however often it is asked."""

    operations: Dependencies
    filer: Filer
    health: Health
    dead_letters: DeadLetters
    provision: Callable[[str], Awaitable[None]]
