"""The worker: claims due tasks of every served processor, works on them side by side, hands back what it must leave."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from habeas.engine import LeaseLost
from habeas.vocabulary import Action
from services.chassis.clock import Clock
from services.chassis.crypto.at_rest import KeyProvider
from services.chassis.faultpoints import faultpoint
from services.chassis.log import describe, get_logger
from services.chassis.loops import STUCK_AFTER, Loop, Wake
from services.chassis.objects import ObjectStore
from services.chassis.postgres.pool import Connection, Database
from services.chassis.postgres.queries import Queries
from services.chassis.tracing import span
from services.connectors.domain.claimed import Claimed
from services.connectors.host import metrics
from services.connectors.host.commits import Commits
from services.connectors.host.exports import Place
from services.connectors.host.holds import Holds
from services.connectors.host.lease import Heartbeat
from services.connectors.host.ledger import DatabaseLedger
from services.connectors.host.purging import Purge
from services.connectors.host.reports import Reports
from services.connectors.host.reserved import Reserved
from services.connectors.host.served import Served
from services.connectors.host.work import work_on

log = get_logger(__name__)
SQL = Queries.load("services.connectors.store", "work.sql")

SHARE_OF_LEASE = 0.25  # a beat at each quarter, so that three may fail


class Serving(Protocol):
    """What the worker asks of the roster."""

    def served(self) -> Mapping[str, Served]:
        """Return what is served now, by processor."""

    async def replaced(self, served: Served) -> bool:
        """Look at the folder of `served` now, and say whether another has taken its place."""


class Worker:
    """A part of the service: it beats, claims and commits as one, and stops in order."""

    def __init__(
        self,
        database: Database,
        roster: Serving,
        *,
        reports: Reports,
        keys: KeyProvider,
        clock: Clock,
        instance: int,
        lease_seconds: float,
        finish_within: float,
        failing_attention: float,
        wake: Wake,
        reported: Wake,
        store: ObjectStore | None = None,
    ) -> None:
        """Work on what `roster` serves, and put exports into `store`.

        `wake` rings when there may be work, `reported` is rung after reports.
        """
        self._database = database
        self._roster = roster
        self._keys = keys
        self._clock = clock
        self._finish_within = finish_within
        self._failing_attention = failing_attention
        self._place = Place.of(store)
        self._holds = Holds(database, keys, clock)
        self.purge = Purge(database, store)
        self._wake = wake
        self._heart = Heartbeat(database, instance=instance, seconds=lease_seconds)
        self._commits = Commits(database, reports, worker=lambda: self._heart.worker, after=reported.set)
        self._in_hand: dict[str, tuple[Claimed, asyncio.Task[None]]] = {}
        self._arriving: set[str] = set()
        self._caught_up: set[str] = set()  # processors of which nothing was due when we last looked
        self._stopping = False
        self._claims = asyncio.Lock()
        self.claiming = Loop("claim", self._claim, wake=wake)
        self.beating = Loop("beat", self._beat, stuck_after=max(lease_seconds, STUCK_AFTER))

    def cancel(self, tasks: Iterable[str]) -> None:
        """Have those of `tasks` that are in hand stop before their first effect."""
        for task_id in tasks:
            if task_id in self._in_hand:
                self._in_hand[task_id][0].cancelled = True

    def reserve(self, processor: str, new: Sequence[str]) -> Reserved:
        """Keep free places for the first of `new`, which are being stored; none while others of `processor` wait."""
        served = self._roster.served().get(processor)
        if served is None or processor not in self._caught_up or not self._living:
            return Reserved()
        ids = new[: served.free]
        if len(ids) < len(new):
            self._caught_up.discard(processor)
        for _ in ids:
            served.take()
        self._arriving.update(ids)
        return Reserved(served, self._heart.worker, ids)

    def begin(self, reserved: Reserved) -> None:
        """Work on the tasks of `reserved`, which are stored now."""
        if reserved.served is None or self._stopping:
            self.release(reserved)
            return
        self._arriving.difference_update(reserved.ids)
        faultpoint("worker.leased")
        for task in reserved.tasks:
            self._begin(task, reserved.served)

    def release(self, reserved: Reserved) -> None:
        """Give the places back; what was stored all the same is handed back by the next beat."""
        self._arriving.difference_update(reserved.ids)
        if reserved.served is not None:
            for _ in reserved.ids:
                reserved.served.put_down()

    @property
    def _living(self) -> bool:
        """Whether what is claimed now is surely ours."""
        return bool(self._heart.worker) and self._heart.left() > 0 and not self._stopping

    async def run(self) -> None:
        """Work until cancelled; then finish what can be finished soon, and hand the rest back."""
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(self._commits.run()), group.create_task(self.beating.run())]
            claiming = group.create_task(self.claiming.run())
            try:
                await asyncio.Event().wait()
            finally:
                claiming.cancel()
                await self._stop()
                for helper in helpers:
                    helper.cancel()

    async def _stop(self) -> None:
        self._stopping = True
        tasks = [task for _, task in self._in_hand.values()]
        late: set[asyncio.Task[None]] = set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._finish_within)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks, timeout=1.0)
        if late:
            # Their last calls may still be under way at the vendor: nobody takes them over before the lease ends.
            log.warning("worker.left_tasks", count=len(late), seconds=round(max(self._heart.left(), 0.0), 1))
            return
        try:
            async with asyncio.timeout(2.0):
                async with self._database.connection() as connection:
                    await connection.execute(SQL["hand_back"], self._heart.worker, [])
                await self._heart.leave()
        except Exception as error:  # noqa: BLE001  # the lease ends by itself
            log.warning("worker.left_silently", error=describe(error))

    async def _beat(self) -> int:
        """Say that this worker lives, learn of cancels, and give up on workers that do not."""
        if not await self._heart.beat():
            log.error("worker.was_given_up", worker=self._heart.worker, count=len(self._in_hand))
            for _, task in list(self._in_hand.values()):
                task.cancel()
        async with self._claims, self._database.connection() as connection:
            # A claim whose answer was lost, or a task that could not be put down: held by us, but in nobody's hands.
            ours = [*self._in_hand, *self._arriving]
            await connection.execute(SQL["hand_back"], self._heart.worker, ours)
            self.cancel([row["id"] for row in await connection.fetch(SQL["cancelled"], list(self._in_hand))])
        if await self._heart.give_up_the_silent():
            self._wake.set()
        await asyncio.sleep(self._heart.seconds * SHARE_OF_LEASE)
        return 1

    async def _claim(self) -> int:
        """Claim as many due tasks as there are free places, with one query for all processors."""
        if not self._living:
            return 0
        free = {name: places for name, one in self._roster.served().items() if (places := one.worth_claiming)}
        if not free:
            return 0
        async with self._claims, self._database.connection() as connection:
            rows = await connection.fetch(SQL["claim"], list(free), list(free.values()), self._heart.worker)
            claimed = [Claimed.of(row) for row in rows]
            again = {task.id: task for task in claimed if task.tries > 1}
            if again:
                await _read_journals(connection, again)
            if claimed:
                faultpoint("worker.leased")
            for task in claimed:
                served = self._roster.served()[task.processor]
                served.take()
                self._begin(task, served)
        self._look_who_waits(free, claimed)
        return len(claimed)

    def _look_who_waits(self, free: Mapping[str, int], claimed: Sequence[Claimed]) -> None:
        """Remember of which processors everything that was due has been claimed."""
        claims = Counter(task.processor for task in claimed)
        for processor, places in free.items():
            if claims[processor] < places:
                self._caught_up.add(processor)
            else:
                self._caught_up.discard(processor)

    def _begin(self, task: Claimed, served: Served) -> None:
        self._in_hand[task.id] = (task, asyncio.create_task(self._work(task, served)))

    async def _work(self, task: Claimed, served: Served) -> None:
        ledger = DatabaseLedger(task, served, commits=self._commits, keys=self._keys, lease_left=self._heart.left)
        about = {"habeas.task_id": task.id, "habeas.request_id": task.request_id, "habeas.processor": task.processor}
        try:
            with span(f"work {task.action}", task.traceparent, about):
                await work_on(
                    task,
                    served,
                    ledger,
                    self._clock,
                    holds=self._holds,
                    failing_attention=self._failing_attention,
                    place=self._place,
                    replaced=self._roster.replaced,
                )
        except LeaseLost:
            if task.action == Action.EXPORT:
                await self.purge.look_again(task.id)
            metrics.LEASES_LOST.labels(task.processor).inc()
            log.warning("task.lease_lost", task_id=task.id, processor=task.processor, fence=task.fence)
        except Exception as error:  # noqa: BLE001  # the next beat hands it back
            log.error("task.not_put_down", task_id=task.id, processor=task.processor, error=describe(error))
        finally:
            held = self._in_hand.get(task.id)
            if held is not None and held[0] is task:
                del self._in_hand[task.id]
            served.put_down()
            if task.processor not in self._caught_up:
                self._wake.set()


async def _read_journals(connection: Connection, tasks: Mapping[str, Claimed]) -> None:
    """Give tasks that were tried before what they remember, with one query for all."""
    journals: dict[str, list[tuple[bytes | None, bytes]]] = {}
    for row in await connection.fetch(SQL["journals"], list(tasks)):
        journals.setdefault(row["task_id"], []).append((row["wrapped"], row["sealed"]))
    for task_id, rows in journals.items():
        tasks[task_id].journal = rows
