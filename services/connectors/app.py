"""Wires the connector host: the only place that knows how its parts hang together."""

import os
import secrets
from collections.abc import Callable, Sequence

from services.chassis.clock import Clock, SystemClock
from services.chassis.crypto.at_rest import LocalKeys, read_key_file
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.dead_letters import DeadLetters
from services.chassis.health import Health, health_app
from services.chassis.kafka.cluster import CHECK_EVERY, ClusterWatch
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.relay import Relay
from services.chassis.kafka.subscription import Subscription
from services.chassis.kafka.topics import cluster_id
from services.chassis.log import get_logger
from services.chassis.loops import Loop, Wake
from services.chassis.postgres.pool import Database
from services.chassis.service import HttpServer, Part, run
from services.connectors.consumers import subscription
from services.connectors.host.accept import Accept
from services.connectors.host.catalogue import Catalogue
from services.connectors.host.reports import Reports
from services.connectors.host.roster import Roster
from services.connectors.host.timers import AcceptLate, Announce, Forget
from services.connectors.host.worker import Worker
from services.connectors.settings import ConnectorSettings

log = get_logger(__name__)

SERVICE = "connectors"


class Host:
    """One connector host with all its parts; `close` it when they have ended."""

    def __init__(self, settings: ConnectorSettings, database: Database, catalogue: Catalogue, clock: Clock) -> None:
        """Wire it; nothing runs yet."""
        secret = read_key_file(settings.key_file)
        self._settings = settings
        self._store = settings.open_exports()
        self._database = database
        self._clock = clock
        self._dead_letters = DeadLetters(secret, days=settings.dead_letter_days)
        self._reports = Reports(Composer(source=SERVICE, namespace=settings.namespace), clock)
        self._due = Wake()
        self._reported = Wake()
        holder = f"{settings.instance}-{os.getpid()}-{secrets.token_hex(4)}"
        self.relay = Relay(database, settings.brokers, service=SERVICE, holder=holder, wake=self._reported)
        self.roster = Roster(
            settings.processors_dir,
            only=settings.only,
            catalogue=catalogue,
            subscribe=self._subscribe,
            changed=self._changed,
        )
        self._announce = Announce(
            database, self.roster, self._reports, every=settings.announce_every, reported=self._reported
        )
        self.worker = Worker(
            database,
            self.roster,
            reports=self._reports,
            keys=LocalKeys(secret),
            clock=clock,
            instance=settings.instance,
            lease_seconds=settings.lease_seconds,
            finish_within=settings.finish_within,
            failing_attention=settings.failing_attention,
            store=self._store,
            wake=self._due,
            reported=self._reported,
        )
        self._loops = self._make_loops()
        self._http = HttpServer(health_app(self.health()), host=settings.http_host, port=settings.http_port)

    def parts(self) -> Sequence[Part]:
        """Return what must run."""
        return [
            *(Part(loop.name, loop.run) for loop in self._loops),
            Part("work", self.worker.run),
            Part("http", self._http.run),
        ]

    def health(self) -> Health:
        """Return what the service says of its health."""
        loops = [*self._loops, self.worker.claiming, self.worker.beating]
        store = {} if self._store is None else {"exports": self._store.ping}
        return Health(
            alive={loop.name: _alive(loop) for loop in loops}
            | {"consumers": lambda: all(one.alive for one in self.roster.subscriptions)},
            ready={"postgres": self._database.ping, "kafka": self._ping_kafka, "consumers": self._consuming, **store},
        )

    async def close(self) -> None:
        """Close what is open."""
        await self.roster.close()
        await self.relay.close()
        await self._database.close()

    def _make_loops(self) -> list[Loop]:
        settings, database, roster = self._settings, self._database, self.roster
        accept = AcceptLate(
            database,
            roster,
            self._reports,
            after=settings.accept_after,
            every=settings.repeat_every,
            reported=self._reported,
        )
        forget = Forget(database, roster, self._reports, self._dead_letters, reported=self._reported)
        cluster = ClusterWatch(database, settings.brokers, self._start_afresh)
        return [
            Loop("relay", self.relay.step, wake=self._reported),
            Loop("folders", roster.step, idle=settings.folder_poll),
            Loop("accept", accept.step, idle=min(max(settings.accept_after, 0.05), 0.5)),
            Loop("announce", self._announce.step, wake=self._announce.wake, idle=1.0),
            Loop("forget", forget.step, idle=30.0),
            Loop("purge", self.worker.purge.step, idle=1.0),
            Loop("cluster", cluster.step, idle=CHECK_EVERY),
        ]

    def _subscribe(self, processor: str, keys: FixedKeys, newest: Callable[[], ProcessorKeys]) -> Subscription:
        handler = Accept(
            processor,
            keys=newest,
            reports=self._reports,
            clock=self._clock,
            hands=self.worker,
            due=self._due.set,
            reported=self._reported.set,
        )
        return subscription(
            self._settings,
            processor,
            handler=handler,
            keys=keys,
            refresh=self.roster.refresh,
            database=self._database,
            dead_letters=self._dead_letters,
            ended=handler.ended,
        )

    async def _start_afresh(self) -> None:
        """The broker is another one than before: read it anew, send what is unsent, tell who is here."""
        self.relay.rebuild("cluster_changed")
        for one in self.roster.subscriptions:
            one.restart()
        await self._announce.everything()

    async def _ping_kafka(self) -> None:
        await cluster_id(self._settings.brokers)

    async def _consuming(self) -> None:
        if not self.roster.looked or not all(one.ready for one in self.roster.subscriptions):
            raise _NotYet

    def _changed(self, processor: str) -> None:
        self._announce.changed(processor)


class _NotYet(Exception):
    """A part does not serve yet."""


def _alive(loop: Loop) -> Callable[[], bool]:
    return lambda: loop.alive


async def serve(settings: ConnectorSettings) -> bool:
    """Serve until told to stop (True), or until a part fails (False)."""
    database = await Database.open(
        settings.database_url.get_secret_value(), name="habeas-connectors", size=settings.database_pool
    )
    host = Host(settings, database, Catalogue(), SystemClock())
    try:
        return await run(host.parts())
    finally:
        await host.close()
