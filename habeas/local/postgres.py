"""A PostgreSQL 18 server of one's own, on a loopback port, from binaries that came with a Python package."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil

from habeas.local import places, supervisor
from habeas.local.child import Child
from habeas.local.errors import LocalStackError
from habeas.local.ports import LOOPBACK, PortLease
from habeas.local.supervisor import Supervisor
from habeas.local.unprivileged import Programs, programs
from habeas.local.waiting import wait_until

OWNER = "habeas_owner"
START_WITHIN = 120.0  # seconds; recovery after a crash takes a while on a large database

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # their paths have a length limit that a deep home would meet
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",  # compiling costs more than it saves on short statements
    # No personal data in the log: no values, no statements, no DETAIL or CONTEXT lines, and no messages of client
    # errors, which quote input. The client has all of them. LOG, FATAL and PANIC remain.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

CREATE_DATABASE = """
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
"""


class PostgresServer:
    """One server with its data below `home`: `data/`, `owner.password` (0600), `logs/postgres.log`."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        *,
        logs: Path | None = None,
        ports: PortLease | None = None,
        owner: Supervisor | None = None,
    ) -> None:
        """Hold `port` (0: a free one) from now on; nothing is started.

        Raises LocalStackError if the port is taken or the home cannot be made.
        """
        self.home = places.make_home(home)
        self.data = self.home / "data"
        self.log = (logs or self.home / "logs") / "postgres.log"
        self.port = (ports or PortLease()).take(port, purpose="PostgreSQL")
        self._supervisor = owner or supervisor.of_this_process()
        self._child: Child | None = None

    @property
    def password(self) -> str:
        """The owner role's password, made at the first use of the home."""
        return places.kept_secret(self.home / "owner.password")

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    def url(self, database: str = "postgres", *, role: str = OWNER, password: str | None = None) -> str:
        """The URL of `database` for `role`; without a password, for the owner, a superuser."""
        secret = self.password if password is None else password
        name, word, place = (quote(part, safe="") for part in (role, secret, database))
        return f"postgresql://{name}:{word}@{LOOPBACK}:{self.port}/{place}"

    def start(self) -> None:
        """Start the server, on the data that is there or on new data, and wait until it accepts connections.

        Raises LocalStackError if it does not.
        """
        if self.pid is not None:
            return
        run = programs()
        if not self.data.exists():
            self._make_data(run)
        self._clear_stale_pid_file()
        settings = {**SETTINGS, "port": str(self.port)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._child = child = self._supervisor.start(
            "postgres",
            run.command("postgres", "-D", self.data, *arguments),
            log=self.log,
            env=_environment(),
            cwd=self.data,
            stop_signal=signal.SIGINT,  # the fast shutdown: clients are cut off, nothing is lost
            user=run.user,
        )
        ready = wait_until(lambda: self._accepts(child) or not child.running, seconds=START_WITHIN)
        if not ready or not child.running:
            child.kill()
            problem = f"PostgreSQL did not start; the reason is at the end of {self.log}."
            raise LocalStackError(problem)

    def stop(self) -> None:
        """Cut clients off, write a checkpoint and end. Does nothing if it does not run."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """End the server and its backends as a crash would, with SIGKILL, and wait until all are gone."""
        if self._child is not None:
            self._child.kill()

    def create_database(self, name: str) -> None:
        """Create the database `name`, owned by the owner role, unless it exists."""
        self.execute(CREATE_DATABASE, name=name)

    def execute(self, script: str, database: str = "postgres", **variables: str) -> str:
        """Run a psql script as the owner and give what it prints, unaligned; `variables` are psql's.

        Raises LocalStackError if a statement fails.
        """
        psql = [self._psql(), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        done = subprocess.run(
            [*psql, *(f"--set={name}={value}" for name, value in variables.items())],
            input=script,
            env={
                **_environment(),
                "PGHOST": LOOPBACK,
                "PGPORT": str(self.port),
                "PGUSER": OWNER,
                "PGPASSWORD": self.password,
                "PGDATABASE": database,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            problem = f"PostgreSQL refused a statement: {done.stderr.strip()}"
            raise LocalStackError(problem)
        return done.stdout.strip()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server."""
        self.stop()

    def _psql(self) -> str:
        return str(programs().folder / "bin" / "psql")  # as a client root is welcome

    def _make_data(self, run: Programs) -> None:
        """Run initdb beside the final place, so that an interrupted run leaves nothing that looks finished."""
        partial = self.home / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        run.hand_over(partial)
        password_file = self.home / "initdb.password"
        places.write_private(password_file, self.password)
        run.hand_over(password_file)
        made = self._supervisor.run(
            "initdb",
            run.command(
                "initdb",
                *("--pgdata", partial, "--username", OWNER, "--pwfile", password_file, "--no-instructions"),
                *("--auth-host=scram-sha-256", "--auth-local=reject", "--data-checksums", "--encoding=UTF8"),
                # The builtin provider knows Unicode on every platform; the C library's locales differ.
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ),
            log=self.log,
            env=_environment(),
            cwd=Path("/"),
            user=run.user,
        )
        password_file.unlink()
        if not made:
            problem = f"PostgreSQL could not make its data in {self.home}; the reason is at the end of {self.log}."
            raise LocalStackError(problem)
        partial.rename(self.data)

    def _clear_stale_pid_file(self) -> None:
        """Remove the pid file of a server that was killed.

        The server itself only does so if no process has that pid; after a reboot some process has.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        try:
            is_postgres = "postgres" in psutil.Process(pid).name()
        except psutil.NoSuchProcess:
            is_postgres = False
        if is_postgres:
            problem = f"A PostgreSQL server (process {pid}) already runs on {self.data}; stop it first."
            raise LocalStackError(problem)
        pid_file.unlink()

    def _accepts(self, child: Child) -> bool:
        """Whether the postmaster wrote `ready` into line 8 of its pid file, as it does once it accepts connections."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(child.pid) and lines[7].strip() == "ready"


def _environment() -> dict[str, str]:
    """Our environment without the variables that would steer PostgreSQL's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
