"""Encryption at rest: a data key for each request, wrapped by a key that a provider holds; deleting it shreds."""

import base64
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from services.chassis.crypto.keys import derive

_NONCE = 12


class KeyUnreadable(RuntimeError):
    """A key file is absent, open to others or malformed; the message says what to do."""


class Undecryptable(ValueError):
    """A ciphertext was made with another key, for another place, or was changed."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh key and its wrapped form, which is what is stored."""

    plain: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


class KeyProvider(Protocol):
    """Holds the wrapping key: a local file, or a key service."""

    def fresh(self) -> DataKey:
        """Return a new data key."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the data key inside; raise `Undecryptable`."""


class LocalKeys:
    """Wraps by a key that is derived from a local secret (RFC 3394 key wrap)."""

    def __init__(self, secret: bytes) -> None:
        """Derive the wrapping key."""
        self._wrapping = derive(secret, "habeas at rest")

    def fresh(self) -> DataKey:
        """Return a new data key."""
        plain = os.urandom(32)
        return DataKey(plain, aes_key_wrap(self._wrapping, plain))

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the data key inside; raise `Undecryptable`."""
        try:
            return aes_key_unwrap(self._wrapping, wrapped)
        except (InvalidUnwrap, ValueError):
            raise Undecryptable from None


def encrypt(key: bytes, plaintext: bytes, place: str) -> bytes:
    """Return nonce and AES-256-GCM ciphertext. `place` (table, column, row) is bound, so nothing can be moved."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, place.encode())


def decrypt(key: bytes, blob: bytes, place: str) -> bytes:
    """Return the plaintext; raise `Undecryptable`."""
    try:
        return AESGCM(key).decrypt(blob[:_NONCE], blob[_NONCE:], place.encode())
    except (InvalidTag, ValueError):
        raise Undecryptable from None


def read_key_file(path: Path) -> bytes:
    """Return the 32 bytes of a key file (base64); raise `KeyUnreadable` that says what to do."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii")
    except OSError as error:
        msg = f"{path}: the key file cannot be read ({error.strerror}): set HABEAS_KEY_FILE to a readable one"
        raise KeyUnreadable(msg) from None
    if mode & 0o077:
        msg = f"{path}: the key file is open to others: run chmod 600 on it"
        raise KeyUnreadable(msg)
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        msg = f"{path}: expected base64 of 32 random bytes: make one with `head -c 32 /dev/urandom | base64`"
        raise KeyUnreadable(msg)
    return secret


def places(table: str, column: str, ids: Sequence[str]) -> list[str]:
    """Return the bound places of one column for several rows."""
    return [f"{table}.{column}/{one}" for one in ids]
