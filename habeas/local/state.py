"""What a running stack writes down about itself, so that other processes find it."""

from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, Field, ValidationError

from habeas.local.places import write_private

Phase = Literal["starting", "up"]


class Process(BaseModel):
    """A process of the stack; `created` tells it from a later one with the same id."""

    name: str
    pid: int
    created: float
    address: str | None = None
    log: Path | None = None

    @classmethod
    def of(cls, name: str, pid: int, *, address: str | None = None, log: Path | None = None) -> "Process":
        """Describe a process that runs. Raises psutil.NoSuchProcess if it does not."""
        return cls(name=name, pid=pid, created=psutil.Process(pid).create_time(), address=address, log=log)

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        try:
            found = psutil.Process(self.pid)
            return found.create_time() == self.created and found.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


class StackState(BaseModel):
    """The stack as written to `stack.json` (0600); `url` and `key` are what a client needs."""

    phase: Phase
    owner: Process
    url: str
    key: str = Field(repr=False)
    postgres_url: str = Field(repr=False)
    kafka_bootstrap: str
    sandbox_url: str
    processes: list[Process] = []

    @property
    def running(self) -> bool:
        """Whether the process that owns the stack still runs."""
        return self.owner.running


def read(path: Path) -> StackState | None:
    """What the stack that uses `path` wrote last, running or not; None if it was stopped in good order."""
    try:
        return StackState.model_validate_json(path.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def write(path: Path, state: StackState) -> None:
    """Write `state` to `path`, readable by its owner only."""
    write_private(path, state.model_dump_json(indent=2))
