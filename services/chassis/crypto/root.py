"""The orchestrator's root key: enrolment secrets, ids and blind indexes are derived from it and stored nowhere."""

import hmac
from pathlib import Path

from contracts import ids
from services.chassis.crypto.at_rest import read_key_file
from services.chassis.crypto.keys import ProcessorKeys, derive


class RootKey:
    """One secret of 32 bytes, and what hangs on it."""

    def __init__(self, secret: bytes) -> None:
        """Keep `secret`."""
        self._secret = secret
        self._ids = derive(secret, "habeas ids")
        self._processor_keys: dict[tuple[str, str, int], ProcessorKeys] = {}

    @classmethod
    def load(cls, path: Path) -> "RootKey":
        """Read the key file at `path`; raise `KeyUnreadable`."""
        return cls(read_key_file(path))

    @property
    def secret(self) -> bytes:
        """The secret itself, for a key provider."""
        return self._secret

    def derive(self, label: str) -> bytes:
        """Return 32 bytes for a label."""
        return derive(self._secret, label)

    def enrolment_secret(self, processor: str, enrolment: str, version: int) -> bytes:
        """Return the secret of an enrolment: a re-used name has a new enrolment id, so old keys never revive."""
        return derive(self._secret, f"habeas enrolment {processor} {enrolment} {version}")

    def processor_keys(self, processor: str, enrolment: str, version: int) -> ProcessorKeys:
        """Return what `enrolment_secret` gives; derived once, for there are as many as a company has suppliers."""
        place = (processor, enrolment, version)
        if place not in self._processor_keys:
            secret = self.enrolment_secret(processor, enrolment, version)
            self._processor_keys[place] = ProcessorKeys.from_secret(processor, version, secret)
        return self._processor_keys[place]

    def derived_id(self, prefix: ids.Prefix, milliseconds: int, *parts: str | int) -> str:
        """Return the id that `parts` give: the same for the same parts, and not to be guessed from them."""
        text = "\x1f".join(str(part) for part in parts)
        return ids.derived(prefix, milliseconds, hmac.digest(self._ids, f"{prefix}\x1f{text}".encode(), "sha256"))
