"""What the orchestrator's use cases need, handed in once by `app`."""

from dataclasses import dataclass, field

from services.chassis.clock import Clock
from services.chassis.crypto.at_rest import KeyProvider
from services.chassis.crypto.keys import ProcessorKeys, derive
from services.chassis.crypto.root import RootKey
from services.chassis.kafka.composer import Composer
from services.chassis.loops import Wake
from services.chassis.postgres.pool import Database
from services.orchestrator.domain.retention import RetentionRules
from services.orchestrator.settings import OrchestratorSettings


@dataclass(frozen=True, slots=True)
class Wakes:
    """The bells of the loops, rung after a commit."""

    planner: Wake = field(default_factory=Wake)
    dispatcher: Wake = field(default_factory=Wake)
    relay: Wake = field(default_factory=Wake)

    def ring(self) -> None:
        """Ring all of them: a bell that rings for nothing costs one indexed look."""
        self.planner.set()
        self.dispatcher.set()
        self.relay.set()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything that a use case may touch beside its connection."""

    database: Database
    root: RootKey
    at_rest: KeyProvider
    notifier: ProcessorKeys
    composer: Composer
    clock: Clock
    settings: OrchestratorSettings
    wakes: Wakes
    blind_key: bytes = field(repr=False)
    retention: RetentionRules = field(default_factory=RetentionRules)

    def blind_key_of(self, *, livemode: bool) -> bytes:
        """Return what the indexes of a mode's subjects are made with: a rehearsal takes no turn from the real thing."""
        return self.blind_key if livemode else derive(self.blind_key, "habeas blind index of rehearsals")
