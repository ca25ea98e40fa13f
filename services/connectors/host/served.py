"""One processor that is being served: opened, limited, counted, and closed when its last task is put down."""

import asyncio
import hashlib
import json
from typing import Any

from contracts.processors import ProcessorAnnounced, WireManifest
from habeas.sdk import Http, Manifest, Processor
from services.chassis.clock import Clock
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.log import describe, get_logger
from services.connectors.host import metrics
from services.connectors.host.catalogue import Kind
from services.connectors.host.enrolment import BrokenEnrolment, Enrolment
from services.connectors.host.limits import RateLimit

log = get_logger(__name__)

OPEN_WITHIN = 30.0
CLOSE_WITHIN = 10.0
SHARE_WORTH_CLAIMING = 8  # an eighth of the places; with fewer than eight, each


class Served:
    """An open processor with what its tasks share."""

    def __init__(
        self, enrolment: Enrolment, kind: Kind, processor: Processor[Any], http: Http, limit: RateLimit
    ) -> None:
        """Hold the parts; use `start`."""
        self.enrolment = enrolment
        self.manifest: Manifest = kind.manifest
        self.processor = processor
        self.limit = limit
        self._http = http
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        metrics.IN_HAND.labels(self.id).set_function(lambda: self._busy)  # counted when somebody looks

    @classmethod
    async def start(cls, enrolment: Enrolment, kind: Kind) -> "Served":
        """Open the processor; raise `BrokenEnrolment`, also for whatever its code raises."""
        kind = kind.limited(enrolment.settings).particular(enrolment.settings)
        config = kind.config(enrolment.settings)
        manifest = kind.manifest
        limit = RateLimit(manifest.limits.calls, manifest.limits.per)
        http = Http(
            base_url=str(getattr(config, "base_url", "")), timeout=manifest.timeouts.call, before_call=limit.wait
        )
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                processor = kind.processor(config=config, http=http)
                await processor.__aenter__()
        except Exception as error:  # noqa: BLE001  # the author's code: others are served all the same
            await http.aclose()
            raise BrokenEnrolment(f"the processor cannot be opened ({type(error).__name__})") from None
        return cls(enrolment, kind, processor, http, limit)

    @property
    def id(self) -> str:
        """The processor's id."""
        return self.enrolment.processor

    @property
    def keys(self) -> ProcessorKeys:
        """The newest keys, which reports are proven and findings sealed with."""
        return self.enrolment.keys[0]

    @property
    def key_versions(self) -> tuple[int, ...]:
        """All versions that this host holds."""
        return tuple(sorted({one.version for one in self.enrolment.keys}))

    @property
    def free(self) -> int:
        """How many more tasks may be worked on at once."""
        return max(self.manifest.limits.concurrency - self._busy, 0)

    @property
    def worth_claiming(self) -> int:
        """How many tasks to claim now: none while so few places are free that a query for each would cost more."""
        return self.free if self.free * SHARE_WORTH_CLAIMING >= self.manifest.limits.concurrency else 0

    def take(self) -> None:
        """Count a task in."""
        self._busy += 1
        self._idle.clear()

    def put_down(self) -> None:
        """Count it out."""
        self._busy -= 1
        if not self._busy:
            self._idle.set()

    def announcement(self, clock: Clock) -> ProcessorAnnounced:
        """Return what the orchestrator is told of it."""
        manifest = WireManifest.model_validate(
            self.manifest.model_dump(mode="json") | {"fields": tuple(self.manifest.fields)}
        )
        told = json.dumps([manifest.model_dump(mode="json"), self.key_versions], sort_keys=True)
        return ProcessorAnnounced(
            livemode=True,
            processor=self.id,
            kind=self.enrolment.kind,
            manifest=manifest,
            manifest_version=manifest.version,
            key_versions=self.key_versions,
            incarnation=hashlib.sha256(told.encode()).hexdigest()[:32],
            at=clock.now(),
        )

    async def close(self, *, after: float) -> None:
        """Close it once no task is in hand, or after `after` seconds in any case."""
        try:
            async with asyncio.timeout(after):
                await self._idle.wait()
        except TimeoutError:
            log.warning("processor.closed_busy", processor=self.id, count=self._busy)
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self.processor.__aexit__(None, None, None)
                await self._http.aclose()
        except Exception as error:  # noqa: BLE001  # the author's code: whatever it raises, others are served
            log.warning("processor.close_failed", processor=self.id, error=describe(error))
