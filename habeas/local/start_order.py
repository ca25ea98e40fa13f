"""In which order the parts of a stack start: as much at the same time as their needs allow."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from habeas.local import places
from habeas.local.enrolment import Enroller, sandbox_processors, write_settings
from habeas.local.fingerprint import fingerprint
from habeas.local.home import Home
from habeas.local.kafka import KafkaServer
from habeas.local.places import write_private
from habeas.local.postgres import PostgresServer
from habeas.local.service import Service
from habeas.local.supervisor import Supervisor

DATABASE = "habeas"


class Parts(Protocol):
    """What is brought up: a stack, as far as its order needs it."""

    home: Home
    say: Callable[[str], None]
    supervisor: Supervisor
    services: dict[str, Service]
    postgres: PostgresServer | None
    kafka: KafkaServer | None
    postgres_url: str
    ports: dict[str, int]

    @property
    def url(self) -> str:
        """Where the API answers."""

    @property
    def key(self) -> str:
        """An API key of all scopes."""


def bring_up(stack: Parts) -> None:
    """Start every part and wait until all are ready and the processors announced.

    Raises what the first part that failed raised, after the rest was told to give up.
    """
    start = _Start(stack)
    with ThreadPoolExecutor(max_workers=12, thread_name_prefix="start") as pool:
        steps: list[Future[None]] = []

        def step(work: Callable[..., None], *needs: Future[None]) -> Future[None]:
            steps.append(pool.submit(lambda: _after(needs, work)))
            return steps[-1]

        try:
            postgres, kafka, sandbox = step(start.postgres), step(start.kafka), step(start.sandbox)
            migrated = step(start.migrate_orchestrator, postgres)
            keys = step(start.make_keys, migrated)
            orchestrator = step(start.orchestrator, migrated, kafka)
            connectors = step(start.connectors, step(start.migrate_connectors, postgres), kafka)
            step(start.notifier, step(start.migrate_notifier, postgres), keys, kafka, sandbox)
            step(start.enrol, orchestrator, keys, connectors)
            done, _ = wait(steps, return_when=FIRST_EXCEPTION)
            for finished in (one for one in steps if one in done):  # the cause stands before what waited for it
                finished.result()
        except BaseException:
            stack.supervisor.close()  # what the other steps wait for has ended now, so they end too
            raise


def _after(needs: tuple[Future[None], ...], work: Callable[[], None]) -> None:
    for need in needs:
        need.result()
    work()


class _Start:
    """The steps; each returns once its part is of use to the steps that need it."""

    def __init__(self, stack: Parts) -> None:
        self._stack = stack
        self._services = stack.services
        self._began = time.monotonic()

    def postgres(self) -> None:
        """Start the server and make the database; nothing to do where the user brings a server."""
        if self._stack.postgres is not None:
            self._stack.postgres.start()
            self._stack.postgres.create_database(DATABASE)
            self._tell("PostgreSQL")

    def kafka(self) -> None:
        """Start the broker; nothing to do where the user brings one."""
        if self._stack.kafka is not None:
            self._stack.kafka.start()
            self._tell("Kafka")

    def sandbox(self) -> None:
        """Start the vendors and the mail sink."""
        self._services["sandbox"].start()
        self._tell("sandbox")

    def migrate_orchestrator(self) -> None:
        """Bring the orchestrator's schema up to date."""
        self._migrate("orchestrator")

    def migrate_connectors(self) -> None:
        """Bring the connectors' schema up to date."""
        self._migrate("connectors")

    def migrate_notifier(self) -> None:
        """Bring the notifier's schema up to date."""
        self._migrate("notifier")

    def make_keys(self) -> None:
        """Have the orchestrator make the API key and the notifier's enrolment, once in the life of a home."""
        home = self._stack.home
        self._keep_answer(home.api_key, "bootstrap-key", "--name", "local-stack")
        self._keep_answer(home.notifier_key, "notifier-key")

    def orchestrator(self) -> None:
        """Start the orchestrator."""
        self._services["orchestrator"].start()
        self._tell("orchestrator")

    def connectors(self) -> None:
        """Start the connector host on the settings of the sandbox's processors."""
        for processor in sandbox_processors(self._stack.ports, self._stack.home):
            write_settings(self._stack.home, processor)
        self._services["connectors"].start()
        self._tell("connectors")

    def notifier(self) -> None:
        """Start the notifier."""
        self._services["notifier"].start()
        self._tell("notifier")

    def enrol(self) -> None:
        """Enrol the sandbox's processors and wait until the connector host has announced them."""
        wanted = sandbox_processors(self._stack.ports, self._stack.home)
        with Enroller(self._stack.url, self._stack.key) as admin:
            for processor in wanted:
                admin.enrol(self._stack.home, processor)
            admin.wait_until_announced({processor.id for processor in wanted})
        self._tell("processors " + ", ".join(processor.id for processor in wanted))

    def _migrate(self, service: str) -> None:
        """Migrate, unless it was done by the same code on the same data: that would cost a second for nothing."""
        server = self._stack.postgres
        mark = server.home / f"migrated-{service}" if server is not None else None
        code = fingerprint(places.import_root() / "services")
        if mark is not None and mark.exists() and mark.read_text() == code:
            return
        self._services[service].run("migrate", extra={"HABEAS_POSTGRES_URL": self._stack.postgres_url})
        if mark is not None:
            write_private(mark, code)

    def _keep_answer(self, path: Path, *verb: str) -> None:
        """Write what a verb of the orchestrator prints to `path`, unless it was done before."""
        if path.exists():
            return
        answer = path.with_name(f".{path.name}.answer")
        answer.unlink(missing_ok=True)  # of a start that was cut short
        self._services["orchestrator"].run(*verb, answer=answer)
        answer.replace(path)

    def _tell(self, what: str) -> None:
        self._stack.say(f"{what} ready after {time.monotonic() - self._began:.1f} s")
