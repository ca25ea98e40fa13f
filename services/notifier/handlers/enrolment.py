"""The notifier's enrolment: a file that may appear later and may be replaced by one of a newer version."""

import asyncio
import base64
import stat
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.topics import NOTIFIER
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.log import get_logger

log = get_logger(__name__)

LOOK_EVERY = 0.25


class NotEnrolled(RuntimeError):
    """There is no enrolment yet."""


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    processor: Literal["notifier"]
    version: Annotated[int, Field(ge=1)]
    secret: Annotated[str, Field(repr=False)]


class Enrolment:
    """A key source. Keys of an earlier version stay valid for as long as the process runs."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path
        self._keys: dict[str, ProcessorKeys] = {}
        self._current: ProcessorKeys | None = None
        self._read_at: tuple[int, int] | None = None
        self._said: str | None = None

    @property
    def current(self) -> ProcessorKeys:
        """The keys to prove with; raises `NotEnrolled`."""
        if self._current is None:
            raise NotEnrolled
        return self._current

    @property
    def known(self) -> bool:
        """Whether there are keys."""
        return self._current is not None

    async def ready(self) -> None:
        """Raise `NotEnrolled` until there are keys."""
        _ = self.current

    def get(self, kid: str) -> ProcessorKeys | None:
        """Return the keys of a kid."""
        return self._keys.get(kid)

    async def refresh(self) -> None:
        """Read the file again if it changed; one that can not be used is logged once and waited for."""
        try:
            status = self._path.stat()
        except OSError:
            self._wait("no_enrolment_file")
            return
        mark = (status.st_mtime_ns, status.st_ino)
        if mark == self._read_at:
            return
        if stat.S_IMODE(status.st_mode) & 0o077:
            self._wait("enrolment_file_open_to_others")
            return
        keys = _keys(self._path)
        if keys is None:
            self._wait("malformed_enrolment_file")
            return
        self._read_at, self._current, self._said = mark, keys, None
        self._keys[keys.kid] = keys
        log.info("enrolment.read", kid=keys.kid)

    async def wait(self) -> None:
        """Return once there are keys."""
        await self.refresh()
        while not self.known:
            await asyncio.sleep(LOOK_EVERY)
            await self.refresh()

    def _wait(self, reason: str) -> None:
        if self._said != reason:
            self._said = reason
            log.warning("enrolment.waited_for", reason=reason)


def _keys(path: Path) -> ProcessorKeys | None:
    try:
        file = _File.model_validate_json(path.read_bytes())
        secret = base64.b64decode(file.secret, validate=True)
    except (OSError, ValidationError, ValueError):
        return None
    return ProcessorKeys.from_secret(NOTIFIER, file.version, secret) if len(secret) == 32 else None
