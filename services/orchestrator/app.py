"""Wires the orchestrator: the only place that knows every part of it."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.crypto.at_rest import LocalKeys
from services.chassis.crypto.root import RootKey
from services.chassis.dead_letters import DeadLetters
from services.chassis.health import Health
from services.chassis.kafka.cluster import CHECK_EVERY, ClusterWatch
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.relay import Relay
from services.chassis.kafka.subscription import Subscription
from services.chassis.loops import Loop
from services.chassis.postgres.pool import Database
from services.chassis.service import HttpServer, Part, run
from services.orchestrator.api import application
from services.orchestrator.api.dependencies import ApiDependencies
from services.orchestrator.consumers import subscriptions
from services.orchestrator.domain.retention import RetentionMistake, RetentionRules
from services.orchestrator.handlers.break_silence import SilenceBreaker
from services.orchestrator.handlers.close_packages import ClosePackages
from services.orchestrator.handlers.dependencies import Dependencies, Wakes
from services.orchestrator.handlers.directory import notifier_keys
from services.orchestrator.handlers.dispatch_tasks import Dispatcher
from services.orchestrator.handlers.file_requests import Filer
from services.orchestrator.handlers.follow_holds import HoldTimer
from services.orchestrator.handlers.plan_requests import Planner
from services.orchestrator.handlers.shred_requests import Upkeep
from services.orchestrator.provisioning import Provisioner
from services.orchestrator.settings import OrchestratorSettings

SILENCE_EVERY = 1.0
UPKEEP_EVERY = 30.0
UNBLOCK_EVERY = 2.0


async def dependencies(settings: OrchestratorSettings) -> Dependencies:
    """Open what the use cases need; waits for PostgreSQL."""
    retention = read_retention(settings.retention_file)  # before anything is opened: it may be wrong
    root = RootKey.load(settings.key_file)
    database = await Database.open(
        settings.database_url.get_secret_value(), name="habeas-orchestrator", size=settings.database_pool
    )
    return Dependencies(
        database=database,
        root=root,
        at_rest=LocalKeys(root.secret),
        notifier=notifier_keys(root),
        composer=Composer(source="orchestrator", namespace=settings.namespace),
        clock=SystemClock(),
        settings=settings,
        wakes=Wakes(),
        blind_key=root.derive("habeas blind index"),
        retention=retention,
    )


def read_retention(path: Path) -> RetentionRules:
    """Return the rules of a retention file; raise `RetentionMistake` that names file, line and mend."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"{path}:1: the file cannot be read ({why}): set HABEAS_RETENTION_FILE to a readable one"
        raise RetentionMistake(msg) from None
    return RetentionRules.parse(text, source=str(path))


async def serve(settings: OrchestratorSettings) -> bool:
    """Run until told to stop; return whether it ended because of that."""
    deps = await dependencies(settings)
    dead_letters = DeadLetters(deps.root.secret, days=settings.dead_letter_days)
    provisioner = Provisioner(deps)
    readers = subscriptions(deps, dead_letters)
    holder = f"orchestrator-{settings.instance}-{os.getpid()}"
    relay = Relay(deps.database, settings.brokers, service="orchestrator", holder=holder, wake=deps.wakes.relay)
    silence = SilenceBreaker(deps)
    watch = _watch(deps, provisioner, readers, relay, silence)
    loops = _loops(deps, dead_letters, provisioner, relay, silence, watch)
    health = _health(deps, loops, readers, provisioner, watch)
    app = application.build(
        ApiDependencies(
            operations=deps,
            filer=Filer(deps),
            health=health,
            dead_letters=dead_letters,
            provision=provisioner.one,
            exports=settings.open_exports(),
        )
    )
    server = HttpServer(app, host=settings.http_host, port=settings.http_port)
    try:
        return await run(
            [
                *(Part(loop.name, loop.run) for loop in loops),
                *(Part(reader.name, reader.run) for reader in readers),
                Part("http", server.run),
            ]
        )
    finally:
        await relay.close()
        await deps.database.close()


def _watch(
    deps: Dependencies,
    provisioner: Provisioner,
    readers: Sequence[Subscription],
    relay: Relay,
    silence: SilenceBreaker,
) -> ClusterWatch:
    async def start_over() -> None:
        """The broker is another cluster: topics, consumers and producer anew, and all that is open is sent again."""
        await provisioner.step()
        for reader in readers:
            reader.restart()
        relay.rebuild("cluster_changed")
        await silence.everything()

    return ClusterWatch(deps.database, deps.settings.brokers, start_over)


def _loops(
    deps: Dependencies,
    dead_letters: DeadLetters,
    provisioner: Provisioner,
    relay: Relay,
    silence: SilenceBreaker,
    watch: ClusterWatch,
) -> list[Loop]:
    upkeep, dispatcher, packages = Upkeep(deps), Dispatcher(deps), ClosePackages(deps)

    async def expire() -> int:
        async with deps.database.connection() as connection:
            return await dead_letters.expire(connection)

    return [
        Loop("provisioner", provisioner.step, wake=provisioner.wake, idle=UPKEEP_EVERY),
        Loop("cluster", watch.step, idle=CHECK_EVERY),
        Loop("planner", Planner(deps).step, wake=deps.wakes.planner),
        Loop("dispatcher", dispatcher.step, wake=deps.wakes.dispatcher),
        Loop("unblock", dispatcher.unblock, idle=UNBLOCK_EVERY),
        Loop("relay", relay.step, wake=deps.wakes.relay),
        Loop("silence", silence.tasks, idle=SILENCE_EVERY),
        Loop("notices", silence.notices, idle=SILENCE_EVERY),
        Loop("packages", packages.step, idle=UPKEEP_EVERY),
        Loop("reminders", packages.remind, idle=UPKEEP_EVERY),
        Loop("shredder", upkeep.shred, idle=UPKEEP_EVERY),
        Loop("holds", HoldTimer(deps).step, idle=UPKEEP_EVERY),
        Loop("overdue", upkeep.mark_overdue, idle=UPKEEP_EVERY),
        Loop("dead_letters", expire, idle=UPKEEP_EVERY),
    ]


def _health(
    deps: Dependencies,
    loops: Sequence[Loop],
    readers: Sequence[Subscription],
    provisioner: Provisioner,
    watch: ClusterWatch,
) -> Health:
    return Health(
        alive={
            **{loop.name: partial(getattr, loop, "alive") for loop in loops},
            **{reader.name: partial(getattr, reader, "alive") for reader in readers},
        },
        ready={"postgres": deps.database.ping, "topics": provisioner.ping},
        # Without the broker filing goes on, so the API stays in service and says what is away.
        degrading={
            "kafka": lambda: watch.reachable,
            **{reader.name: partial(getattr, reader, "ready") for reader in readers},
        },
    )
