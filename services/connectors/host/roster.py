"""Who is served: watches the enrolment folders, opens what is new, replaces what changed, closes what is gone."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.kafka.subscription import Subscription
from services.chassis.log import get_logger
from services.connectors.host import metrics
from services.connectors.host.catalogue import Catalogue
from services.connectors.host.enrolment import BrokenEnrolment, Signature, read, signature
from services.connectors.host.served import Served

log = get_logger(__name__)

RETRY_BROKEN = 30.0  # a folder that did not change may still mend: its vendor or a distribution was away
FINISH_OLD = 120.0  # what tasks of a replaced processor get before it is closed under them
FINISH_LAST = 1.0


@dataclass(slots=True)
class _Place:
    """What is known of one folder. `served` outlives a change that broke the folder."""

    keys: FixedKeys = field(default_factory=FixedKeys)
    served: Served | None = None
    seen: Signature | None = None
    broken: bool = False
    look_again: float = 0.0
    subscription: Subscription | None = None
    consuming: asyncio.Task[None] | None = None


Subscribe = Callable[[str, FixedKeys, Callable[[], ProcessorKeys]], Subscription]


class Roster:
    """The processors of this host, by id."""

    def __init__(
        self,
        folder: Path,
        *,
        only: frozenset[str],
        catalogue: Catalogue,
        subscribe: Subscribe,
        changed: Callable[[str], None],
    ) -> None:
        """Serve the folders in `folder`, or only those named; `changed` is told of each that begins or changes."""
        self._folder = folder
        self._only = only
        self._catalogue = catalogue
        self._subscribe = subscribe
        self._changed = changed
        self._places: dict[str, _Place] = {}
        self._served: dict[str, Served] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Lock()
        self.looked = False

    def served(self) -> Mapping[str, Served]:
        """Return what is served now, by processor."""
        return self._served

    @property
    def subscriptions(self) -> list[Subscription]:
        """The consumers of what is served."""
        return [place.subscription for place in self._places.values() if place.subscription is not None]

    async def step(self) -> int:
        """Look once at all folders."""
        async with self._looking:
            folders = await asyncio.to_thread(self._folders)
            for name in [name for name in self._places if name not in folders]:
                await self._drop(name)
            for name, seen in folders.items():
                await self._look(name, seen)
            metrics.BROKEN_ENROLMENTS.set(sum(place.broken for place in self._places.values()))
            self.looked = True
        return 0

    async def replaced(self, served: Served) -> bool:
        """Look at the folder of `served` now, and say whether another has taken its place."""
        async with self._looking:
            seen = (await asyncio.to_thread(self._folders)).get(served.id)
            if seen is not None and self._served.get(served.id) is served:
                await self._look(served.id, seen)
        return self._served.get(served.id, served) is not served

    async def refresh(self) -> None:
        """Look now, as when an unknown key was met."""
        await self.step()

    async def stop_consuming(self) -> None:
        """End all consumers."""
        consuming = [place.consuming for place in self._places.values() if place.consuming is not None]
        for task in consuming:
            task.cancel()
        await asyncio.gather(*consuming, return_exceptions=True)

    async def close(self) -> None:
        """Close all processors; call it when nothing works on their tasks any more."""
        await self.stop_consuming()
        await asyncio.gather(*(served.close(after=FINISH_LAST) for served in self._served.values()))
        self._served.clear()
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _folders(self) -> dict[str, Signature]:
        if not self._folder.is_dir():
            return {}
        return {
            entry.name: signature(entry)
            for entry in sorted(self._folder.iterdir())
            if entry.is_dir() and not entry.name.startswith(".") and (not self._only or entry.name in self._only)
        }

    async def _look(self, name: str, seen: Signature) -> None:
        place = self._places.setdefault(name, _Place())
        if seen == place.seen and not (place.broken and time.monotonic() >= place.look_again):
            return
        first_time = seen != place.seen
        place.seen = seen
        try:
            enrolment = await asyncio.to_thread(read, self._folder / name)
            kind = await asyncio.to_thread(self._catalogue.load, enrolment.kind)
            served = await Served.start(enrolment, kind)
        except BrokenEnrolment as error:
            place.broken, place.look_again = True, time.monotonic() + RETRY_BROKEN
            if first_time:
                log.error("enrolment.broken", processor=name, problem=str(error))
            return
        place.broken = False
        self._replace(name, place, served)

    def _replace(self, name: str, place: _Place, served: Served) -> None:
        old, place.served = place.served, served
        self._served = {**self._served, name: served}
        place.keys.replace(served.enrolment.keys)
        if old is not None:
            self._close_later(old)
        if place.consuming is None:
            place.subscription = self._subscribe(name, place.keys, lambda: _newest(place))
            place.consuming = asyncio.create_task(place.subscription.run(), name=f"tasks.{name}")
        log.info("processor.served", processor=name, kind=served.enrolment.kind, version=served.keys.version)
        self._changed(name)

    async def _drop(self, name: str) -> None:
        """Stop serving a processor whose folder is gone; its tasks wait in the database."""
        place = self._places.pop(name)
        self._served = {other: served for other, served in self._served.items() if other != name}
        if place.consuming is not None:
            place.consuming.cancel()
            await asyncio.gather(place.consuming, return_exceptions=True)
        if place.served is not None:
            log.warning("processor.no_longer_served", processor=name)
            self._close_later(place.served)

    def _close_later(self, served: Served) -> None:
        task = asyncio.create_task(served.close(after=FINISH_OLD))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _newest(place: _Place) -> ProcessorKeys:
    assert place.served is not None  # noqa: S101  # it consumes, so it is served
    return place.served.keys
