"""Encrypts exported files frame by frame and opens them again, in the format of `contracts.frames`."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contracts.frames import CHUNK, FRAME, HEADER_LENGTH, LABEL, SALT_LENGTH, MalformedFrames, header, nonce, salt_in


class BrokenFrames(ValueError):
    """A file in frames is cut off, changed, or was made with another key; nothing that follows can be believed."""


class FrameWriter:
    """Encrypts one file: `update` as often as there are bytes, then `finish` once. Holds at most one frame."""

    def __init__(self, key: bytes, *, salt: bytes | None = None) -> None:
        """Take the task's export key of 32 bytes; `salt` is fresh unless a test vector fixes it."""
        self._header = header(os.urandom(SALT_LENGTH) if salt is None else salt)
        self._cipher = _cipher(key, salt_in(self._header))
        self._counter = 0
        self._held = bytearray()

    def update(self, data: bytes | memoryview) -> bytes:
        """Take plaintext and return what can be written already."""
        self._held += data
        out = bytearray()
        while len(self._held) > CHUNK:  # a full chunk waits, since it may turn out to be the last
            out += self._frame(bytes(self._held[:CHUNK]), final=False)
            del self._held[:CHUNK]
        return bytes(out)

    def finish(self) -> bytes:
        """Return the rest of the file."""
        return self._frame(bytes(self._held), final=True)

    def _frame(self, chunk: bytes, *, final: bool) -> bytes:
        sealed = self._cipher.encrypt(nonce(self._counter, final=final), chunk, self._header)
        first = self._counter == 0
        self._counter += 1
        return self._header + sealed if first else sealed


class FrameReader:
    """Opens one file: `update` with what was read, then `finish` once.

    Both return plaintext of frames that are proven; all of it counts only after `finish` returned, since a file that
    was cut off is noticed there. They raise `BrokenFrames`.
    """

    def __init__(self, key: bytes) -> None:
        """Take the task's export key of 32 bytes."""
        self._key = key
        self._header = b""
        self._cipher: AESGCM | None = None
        self._counter = 0
        self._held = bytearray()

    def update(self, data: bytes | memoryview) -> bytes:
        """Take bytes of the file and return the plaintext of the frames that they complete."""
        self._held += data
        if self._cipher is None:
            if len(self._held) < HEADER_LENGTH:
                return b""
            self._open()
        out = bytearray()
        while len(self._held) > FRAME:  # a full frame waits, since it may turn out to be the last
            out += self._frame(bytes(self._held[:FRAME]), final=False)
            del self._held[:FRAME]
        return bytes(out)

    def finish(self) -> bytes:
        """Return the plaintext of the last frame."""
        plain = self._frame(bytes(self._held), final=True)
        if not plain and self._counter > 1:
            raise BrokenFrames  # one file has one form: only an empty file ends with an empty frame
        return plain

    def _open(self) -> None:
        self._header = bytes(self._held[:HEADER_LENGTH])
        del self._held[:HEADER_LENGTH]
        try:
            self._cipher = _cipher(self._key, salt_in(self._header))
        except MalformedFrames:
            raise BrokenFrames from None

    def _frame(self, frame: bytes, *, final: bool) -> bytes:
        if self._cipher is None:
            raise BrokenFrames
        try:
            plain = self._cipher.decrypt(nonce(self._counter, final=final), frame, self._header)
        except (InvalidTag, ValueError):
            raise BrokenFrames from None
        self._counter += 1
        return plain


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    if len(key) != 32:
        msg = "an export key has 32 bytes"
        raise ValueError(msg)
    return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=LABEL).derive(key))
