"""One service of the stack as a process: started, asked whether it is ready, stopped, killed and started again."""

import http.client
import sys
from collections.abc import Mapping
from pathlib import Path

from habeas.local.child import Child
from habeas.local.errors import LocalStackError
from habeas.local.ports import LOOPBACK
from habeas.local.supervisor import Supervisor
from habeas.local.waiting import wait_until

READY_WITHIN = 120.0  # seconds; a busy machine takes long, and a service that fails ends at once
ASK_WITHIN = 2.0  # seconds


class Service:
    """`python -m services.<name>`: known by its arguments, its environment and its health page, never imported."""

    def __init__(self, name: str, *, environment: Mapping[str, str], port: int, log: Path, owner: Supervisor) -> None:
        """Take what it is started with, all of its environment; `port` is where its health page is."""
        self.name = name
        self.port = port
        self.log = log
        self.environment = environment
        self._owner = owner
        self._child: Child | None = None

    def twin(self, *, port: int, log: Path, **environment: str) -> "Service":
        """Return another instance of it, with what it is told otherwise; start it like any service."""
        told = {**self.environment, "HABEAS_HTTP_PORT": str(port), **environment}
        return Service(self.name, environment=told, port=port, log=log, owner=self._owner)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def exit_code(self) -> int | None:
        """What it ended with last, `-n` for signal n; None while it runs or if it was never started."""
        return self._child.exit_code if self._child is not None else None

    def start(self, extra: Mapping[str, str] | None = None) -> None:
        """Start it, with `extra` environment variables, and wait until it is ready.

        Raises LocalStackError if it ends before, or is not ready in time.
        """
        self.launch(extra)
        self.wait_until_ready()

    def launch(self, extra: Mapping[str, str] | None = None) -> None:
        """Start it and do not wait. Does nothing if it runs."""
        if self.pid is None:
            environment = {**self.environment, **(extra or {})}
            self._child = self._owner.start(self.name, command(self.name, "serve"), log=self.log, env=environment)

    def wait_until_ready(self) -> None:
        """Wait until its health page says it is ready. Raises LocalStackError if it ends or takes too long."""
        was_ready = wait_until(lambda: self.pid is None or self.is_ready(), seconds=READY_WITHIN)
        if self.pid is None or not was_ready:
            what = "is not ready" if self.pid is not None else f"ended with {self.exit_code}"
            problem = f"The service {self.name} {what}; the reason is at the end of {self.log}."
            raise LocalStackError(problem)

    def is_ready(self) -> bool:
        """Whether its health page says it is ready."""
        return answers_ready(self.port)

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def run(self, *verb: str, extra: Mapping[str, str] | None = None, answer: Path | None = None) -> None:
        """Run another verb of it, such as `migrate`, to its end; what that prints goes to `answer`.

        Raises LocalStackError if it fails.
        """
        environment = {**self.environment, **(extra or {})}
        name = f"{self.name} {verb[0]}"
        if not self._owner.run(name, command(self.name, *verb), log=self.log, env=environment, answer=answer):
            problem = f"`{name}` failed; the reason is at the end of {self.log}."
            raise LocalStackError(problem)


def command(name: str, *verb: str) -> list[str | Path]:
    """The argument vector of a verb of a service; `-P` keeps the current folder out of what it imports."""
    return [sys.executable, "-P", "-m", f"services.{name}", *verb]


def answers_ready(port: int) -> bool:
    """Whether the service on the loopback `port` answers 200 at `/healthz/ready`."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ASK_WITHIN)
    try:
        connection.request("GET", "/healthz/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
