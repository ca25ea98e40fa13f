"""Everything on one machine: both servers, the services, the sandbox, and the processors enrolled."""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from habeas.local import environments, places, preflight, start_order, state
from habeas.local.home import Home
from habeas.local.kafka import KafkaServer
from habeas.local.ports import PortLease
from habeas.local.postgres import PostgresServer
from habeas.local.service import Service
from habeas.local.supervisor import Supervisor

POSTGRES_VARIABLE = "HABEAS_POSTGRES_URL"
KAFKA_VARIABLE = "HABEAS_KAFKA_BOOTSTRAP"
SANDBOX = "sandbox"

Say = Callable[[str], None]


def quietly(line: str) -> None:
    """Say nothing."""


class Stack:
    """One stack, owned by the calling process: it ends with it, however that ends.

    `services` holds the four services by name; `postgres` and `kafka` are the servers, or None where the environment
    names one of the user's own (`HABEAS_POSTGRES_URL`, `HABEAS_KAFKA_BOOTSTRAP`); `namespace` is what stands before its
    topics, groups and roles, empty unless the environment says otherwise. Each can be stopped, killed and
    started again by itself while the stack is up.

    >>> with Stack(Path(".habeas"), say=print) as stack:
    ...     print(stack.url, stack.key)
    """

    def __init__(self, home: Path | None = None, *, say: Say = quietly, extra: Mapping[str, str] | None = None) -> None:
        """Take the home and its ports, and hold them until `stop`; nothing is started yet.

        `home` is the folder for everything, `say` is told of progress line by line, `extra` is said to the stack and to
        all services as if it stood in the environment, and wins over what they are told otherwise. Stacks that share
        servers of the user's own need a namespace (`HABEAS_NAMESPACE`) and a database each. Raises LocalStackError if
        this machine cannot run it, or another stack has the home.
        """
        self.home = Home(home)
        self.say = say
        preflight.packages()
        preflight.home(self.home.path)
        preflight.cache(places.cache_folder())
        self._lock: int | None = self.home.lock()
        self._lease = PortLease()
        try:
            self.supervisor = Supervisor(keep_open=[self._lock])
            self._lay_out(extra or {}, {**os.environ, **(extra or {})})
        except BaseException:
            self._give_back()
            raise

    def _lay_out(self, extra: Mapping[str, str], given: Mapping[str, str]) -> None:
        """Choose ports and describe every part; `given` is the environment together with `extra`."""
        told_last = {name: value for name, value in extra.items() if name not in environments.NOT_HANDED_ON}
        self.namespace = given.get(environments.NAMESPACE, "")
        self.ports = self.home.ports(environments.PORTS, self._lease)
        self.postgres, self.postgres_url = self._postgres_or_given(given)
        self.kafka, self.kafka_bootstrap = self._kafka_or_given(given)
        told = environments.environments(
            self.home,
            given=given,
            root=places.import_root(),
            ports=self.ports,
            postgres_url=self.postgres_url,
            kafka_bootstrap=self.kafka_bootstrap,
        )
        self.services = {
            name: Service(
                name,
                environment={**environment, **told_last},
                port=self.ports[name],
                log=self.home.log(name),
                owner=self.supervisor,
            )
            for name, environment in told.items()
        }

    def _postgres_or_given(self, environment: Mapping[str, str]) -> tuple[PostgresServer | None, str]:
        if given := environment.get(POSTGRES_VARIABLE):
            return None, given
        ports = self.home.ports(("postgres",), self._lease)
        server = PostgresServer(
            self.home.path / "postgres",
            ports["postgres"],
            logs=self.home.logs,
            ports=self._lease,
            owner=self.supervisor,
        )
        return server, server.url(start_order.DATABASE)

    def _kafka_or_given(self, environment: Mapping[str, str]) -> tuple[KafkaServer | None, str]:
        if given := environment.get(KAFKA_VARIABLE):
            return None, given
        ports = self.home.ports(("kafka", "kafka-controller"), self._lease)
        server = KafkaServer(
            self.home.path / "kafka",
            ports["kafka"],
            ports["kafka-controller"],
            logs=self.home.logs,
            ports=self._lease,
            owner=self.supervisor,
        )
        return server, server.bootstrap

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.services["orchestrator"].url

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox's control API answers, below `/_sandbox`."""
        return self.services[SANDBOX].url

    @property
    def key(self) -> str:
        """An API key of all scopes, made when the stack was first brought up."""
        told: dict[str, str] = json.loads(self.home.api_key.read_text())
        return told["secret"]

    def start(self) -> None:
        """Bring everything up and wait until it is ready; on any failure or Ctrl-C, leave nothing running.

        Raises LocalStackError with one line that says what to do.
        """
        try:
            self._write_state("starting")
            start_order.bring_up(self)
            self._write_state("up")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, the services before what they stand on, and give back home and ports."""
        working = [service for name, service in self.services.items() if name != SANDBOX]
        stop_together([service.stop for service in working])
        stop_together([part.stop for part in (self.services[SANDBOX], self.kafka, self.postgres) if part is not None])
        self._give_back()

    def __enter__(self) -> Self:
        """Bring everything up."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop everything."""
        self.stop()

    def _give_back(self) -> None:
        if self._lock is None:
            return
        self.supervisor.close()
        self._lease.release()
        self.home.state.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    def _write_state(self, phase: state.Phase) -> None:
        children = [(child.name, child.pid) for child in self.supervisor.children]
        addresses = {name: service.url for name, service in self.services.items()}
        addresses["kafka"] = self.kafka_bootstrap
        found = state.StackState(
            phase=phase,
            owner=state.Process.of("stack", os.getpid()),
            url=self.url,
            key=self.key if phase == "up" else "",
            postgres_url=self.postgres_url,
            kafka_bootstrap=self.kafka_bootstrap,
            sandbox_url=self.sandbox_url,
            processes=[
                state.Process.of(name, pid, address=addresses.get(name), log=self.home.log(name))
                for name, pid in children
            ],
        )
        state.write(self.home.state, found)


def stop_together(stops: list[Callable[[], None]]) -> None:
    """Call all of `stops` at the same time and wait for them."""
    with ThreadPoolExecutor(max_workers=len(stops)) as pool:
        for done in [pool.submit(stop) for stop in stops]:
            done.result()
