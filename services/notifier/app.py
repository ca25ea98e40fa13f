"""Wires the notifier: the only place that knows all of its parts."""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from services.chassis import service
from services.chassis.clock import SystemClock
from services.chassis.crypto.at_rest import read_key_file
from services.chassis.dead_letters import DeadLetters
from services.chassis.health import Health, health_app
from services.chassis.kafka.cluster import CHECK_EVERY, ClusterWatch
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.kafka.relay import Relay
from services.chassis.kafka.subscription import Subscription
from services.chassis.log import get_logger
from services.chassis.loops import Loop, Wake
from services.chassis.postgres.leases import Lease
from services.chassis.postgres.pool import Database
from services.chassis.service import HttpServer, Part
from services.notifier import consumers
from services.notifier.channels.email.composing import Composing
from services.notifier.channels.email.post import Post
from services.notifier.channels.email.rendering import Templates
from services.notifier.channels.email.server import Server
from services.notifier.domain.notices import Answered
from services.notifier.handlers.answers import report
from services.notifier.handlers.enrolment import Enrolment
from services.notifier.handlers.send_notices import SendNotices
from services.notifier.handlers.take_notices import TakeNotices
from services.notifier.handlers.write_letter import Sender, WriteLetter
from services.notifier.settings import NotifierSettings
from services.notifier.store.notices import Intake, Notices

log = get_logger(__name__)

TAKE_OVER_EVERY = 1.0
TIDY_EVERY = 30.0


class Notifier:
    """One running notifier."""

    def __init__(self, settings: NotifierSettings, database: Database) -> None:
        """Wire everything; nothing runs yet. Raises `ValueError` that says which setting is wrong."""
        self.settings = settings
        self.database = database
        self.holder = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self.enrolment = Enrolment(settings.enrolment_file)
        self.dead_letters = DeadLetters(read_key_file(settings.key_file), days=settings.dead_letter_days)
        self.due, relaying = Wake(), Wake()
        self._composer = Composer(source="notifier", namespace=settings.namespace)
        self.relay = Relay(database, settings.brokers, service="notifier", holder=self.holder, wake=relaying)
        self.notices = Notices(database, announce=self._report)
        self.lease = Lease(database, f"sender/{self.holder}", self.holder, settings.sender_lease)
        self.post = Post(_server(settings), _composing(settings))
        self.sending = SendNotices(
            self.notices,
            WriteLetter(self.enrolment, Templates(), _sender(settings)),
            self.post,
            worker=self.lease.name,
            room=settings.smtp_connections,
            pauses=settings.retry_after,
            wake=self.due,
            announced=relaying.set,
        )
        self.subscription = self._subscription(relaying)
        self.watch = ClusterWatch(database, settings.brokers, self._another_cluster)
        self.loops = self._loops()
        self.http = HttpServer(health_app(self._health()), host=settings.http_host, port=settings.http_port)

    def parts(self) -> Sequence[Part]:
        """Return what runs, side by side."""
        loops = self.loops
        return [
            Part("http", self.http.run),
            Part("consumer", partial(self._once_enrolled, self.subscription.run)),
            Part("sender", partial(self._once_enrolled, self._send)),
            Part("relay", self._relay),
            *(Part(name, partial(self._once_enrolled, loops[name].run)) for name in ("take_over", "tidy")),
            *(Part(name, loops[name].run) for name in ("enrolment", "cluster")),
        ]

    def _report(self, answered: Sequence[Answered]) -> list[Outgoing]:
        return report(self._composer, self.enrolment.current, answered)

    def _subscription(self, relaying: Wake) -> Subscription:
        settings = self.settings

        def wake() -> None:
            self.due.set()
            relaying.set()

        return consumers.subscribe(
            TakeNotices(Intake(), announce=self._report, clock=SystemClock()),
            keys=self.enrolment,
            database=self.database,
            dead_letters=self.dead_letters,
            after_commit=wake,
            namespace=settings.namespace,
            brokers=settings.brokers,
            instance=settings.instance,
            session_timeout=settings.kafka_session_timeout,
            halt_after=settings.halt_after,
        )

    def _loops(self) -> dict[str, Loop]:
        loops = [
            Loop("sender", self.sending.step, wake=self.due),
            Loop("heartbeat", self._beat, idle=self.settings.sender_lease / 4),
            Loop("take_over", self.sending.take_over, idle=TAKE_OVER_EVERY),
            Loop("tidy", self._tidy, idle=TIDY_EVERY),
            Loop("relay", self.relay.step, wake=self.relay.wake),
            Loop("enrolment", self._look_at_enrolment, idle=1.0),
            Loop("cluster", self.watch.step, idle=CHECK_EVERY),
        ]
        return {loop.name: loop for loop in loops}

    def _health(self) -> Health:
        async def consuming() -> None:
            if not (self.subscription.ready and self.watch.reachable):
                raise NotConsuming

        return Health(
            alive={
                "relay": lambda: self.loops["relay"].alive,
                "consumer": lambda: self.subscription.alive,
                "sender": lambda: self.loops["sender"].alive or not self.enrolment.known,
            },
            ready={"postgres": self.database.ping, "enrolment": self.enrolment.ready, "kafka": consuming},
            degrading={"smtp": lambda: self.post.reachable},
        )

    async def _once_enrolled(self, run: Callable[[], Awaitable[None]]) -> None:
        await self.enrolment.wait()
        await run()

    async def _send(self) -> None:
        """Send until cancelled; the lease is kept until what was on its way has arrived."""
        beating = asyncio.create_task(self.loops["heartbeat"].run())
        try:
            await self.loops["sender"].run()
        finally:
            await self.sending.close()
            beating.cancel()
            await self.lease.release()

    async def _relay(self) -> None:
        try:
            await self.loops["relay"].run()
        finally:
            await self.relay.close()

    async def _beat(self) -> int:
        await self.lease.hold()
        return 0

    async def _tidy(self) -> int:
        lapsed = await self.notices.tidy(self.settings.notice_ttl)
        if lapsed:
            log.warning("notices.lapsed", count=lapsed)
        async with self.database.connection() as connection:
            await self.dead_letters.expire(connection)
        return 0

    async def _look_at_enrolment(self) -> int:
        await self.enrolment.refresh()
        return 0

    async def _another_cluster(self) -> None:
        """Start afresh on both sides; what the old cluster lost, the orchestrator sends again."""
        self.subscription.restart()
        self.relay.rebuild("another_cluster")


class NotConsuming(RuntimeError):
    """The consumer waits for the broker or its topics."""


async def serve(settings: NotifierSettings) -> bool:
    """Run until told to stop; return whether it was."""
    database = await Database.open(
        settings.database_url.get_secret_value(), name="habeas-notifier", size=settings.database_pool
    )
    try:
        return await service.run(Notifier(settings, database).parts())
    finally:
        await database.close()


def _server(settings: NotifierSettings) -> Server:
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        starttls=settings.smtp_starttls,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        hostname=settings.smtp_from.rpartition("@")[2] or None,
        timeout=settings.smtp_timeout,
        data_timeout=settings.smtp_data_timeout,
    )


def _composing(settings: NotifierSettings) -> Composing:
    try:
        return Composing(
            name=settings.controller_name,
            address=settings.smtp_from,
            reply_to=settings.smtp_reply_to,
            clock=SystemClock(),
        )
    except ValueError:
        msg = (
            "HABEAS_SMTP_FROM and HABEAS_SMTP_REPLY_TO: expected a plain mail address; HABEAS_CONTROLLER_NAME: one line"
        )
        raise ValueError(msg) from None


def _sender(settings: NotifierSettings) -> Sender:
    return Sender(
        controller=settings.controller_name,
        contact=settings.controller_contact,
        authority=settings.authority_name,
        authority_url=settings.authority_url,
    )
