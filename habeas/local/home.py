"""The folder of one stack: what lies where, and what is chosen once and kept."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from habeas.local import places, state
from habeas.local.errors import LocalStackError
from habeas.local.ports import PATIENCE, PortLease
from habeas.local.waiting import wait_until

VARIABLE = "HABEAS_HOME"
DEFAULT = ".habeas"


class Home:
    """Paths below one folder; everything that a stack writes lies there or in the cache folder."""

    def __init__(self, path: Path | None = None) -> None:
        """Take a folder, by default `$HABEAS_HOME` or `.habeas` in the current one; nothing is made yet."""
        self.path = (path or Path(os.environ.get(VARIABLE) or DEFAULT)).absolute()
        self.logs = self.path / "logs"
        self.state = self.path / "stack.json"
        self.api_key = self.path / "keys" / "api.json"
        self.notifier_key = self.path / "notifier" / "enrolment.key"
        self.processors = self.path / "processors"
        self.sandbox = self.path / "sandbox"
        self.ids_file = self.sandbox / "application" / "openai-ids.jsonl"  # where the sandbox's application lists ids
        self.exports = self.path / "exports"

    def log(self, name: str) -> Path:
        """Where the child `name` logs."""
        return self.logs / f"{name}.log"

    def key_file(self, service: str) -> Path:
        """The service's key file, base64 of 32 bytes, 0600, made at random when there is none yet."""
        path = self.path / "keys" / f"{service}.key"
        if not path.exists():
            places.write_private(path, base64.b64encode(secrets.token_bytes(32)).decode())
        return path

    def role_password(self, service: str) -> str:
        """The password of the service's database role."""
        return places.kept_secret(self.path / "keys" / f"{service}.password")

    def ports(self, names: tuple[str, ...], lease: PortLease) -> dict[str, int]:
        """Hold a port for each name: the one it had last time, or else a free one.

        Raises LocalStackError if somebody else has taken a port meanwhile.
        """
        file = self.path / "ports.json"
        kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        ports = {name: lease.take(kept.get(name, 0), purpose=name, instead=f"delete {file}") for name in names}
        if kept != {**kept, **ports}:
            places.write_private(file, json.dumps({**kept, **ports}, indent=2))
        return ports

    def fix_ports(self, wanted: Mapping[str, int]) -> None:
        """Keep these ports, by name, for the next start, if they are free now.

        Raises LocalStackError where one is taken, or wanted twice; then none is kept.
        """
        file, lease = self.path / "ports.json", PortLease()
        kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        ports = {**kept, **wanted}
        for name, port in wanted.items():
            if list(ports.values()).count(port) > 1:
                problem = f"Port {port}, wanted for {name}, is that of another part of the stack; choose another."
                raise LocalStackError(problem)
        try:
            for name, port in wanted.items():
                lease.take(port, purpose=name)
        finally:
            lease.release()
        places.write_private(file, json.dumps(ports, indent=2))

    def lock(self) -> int:
        """Make the folder and become its only stack; the lock is the open file descriptor that is returned.

        Raises LocalStackError if another stack runs on it.
        """
        places.make_home(self.path)
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not wait_until(lambda: _locked(descriptor), seconds=PATIENCE):
            os.close(descriptor)
            running = state.read(self.state)
            owner = f"process {running.owner.pid}" if running is not None else "another process"
            problem = f"A stack already runs in {self.path} ({owner}); `habeas down` stops it."
            raise LocalStackError(problem)
        return descriptor

    def is_locked(self) -> bool:
        """Whether a stack runs on the folder, or one that ended still has children."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
