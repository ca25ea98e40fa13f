"""Exported files: how a file is cut into frames that are encrypted one by one, so that gigabytes need 64 KiB of memory.

A file is a header and at least one frame. The header is `MAGIC` (8 bytes: name and format version) and a random salt
(32 bytes). The file's key is HKDF-SHA256 of the task's export key with that salt and the info `LABEL`. Each frame is
AES-256-GCM of up to 64 KiB: ciphertext, then its tag of 16 bytes. The nonce counts frames and marks the last (the
STREAM construction, laid out as in the age format): a frame that is missing, repeated, moved or cut off is noticed.
The header is every frame's additional data.
"""

MAGIC = b"HABEAS\x00\x01"
SALT_LENGTH = 32
HEADER_LENGTH = len(MAGIC) + SALT_LENGTH
LABEL = b"habeas export frames v1"
CHUNK = 65_536  # plaintext bytes in every frame but the last, which has 1 to 65,536 (0 only in an empty file)
TAG_LENGTH = 16
FRAME = CHUNK + TAG_LENGTH
NONCE_LENGTH = 12


class MalformedFrames(ValueError):
    """A file does not begin with the header of this format."""


def header(salt: bytes) -> bytes:
    """Return the header of a file with this salt (32 random bytes, never used for another file)."""
    if len(salt) != SALT_LENGTH:
        msg = f"a salt has {SALT_LENGTH} bytes"
        raise ValueError(msg)
    return MAGIC + salt


def salt_in(head: bytes) -> bytes:
    """Return the salt of a file's first 40 bytes; raise `MalformedFrames`."""
    if len(head) != HEADER_LENGTH or not head.startswith(MAGIC):
        raise MalformedFrames
    return head[len(MAGIC) :]


def nonce(counter: int, *, final: bool) -> bytes:
    """Return the nonce of frame `counter` (from 0): 11 bytes, big-endian, then 1 for the last frame, else 0."""
    return counter.to_bytes(NONCE_LENGTH - 1, "big") + (b"\x01" if final else b"\x00")


def sealed_length(plain: int) -> int:
    """Return the bytes that a file of `plain` bytes takes when it is in frames."""
    frames = max(1, -(-plain // CHUNK))
    return HEADER_LENGTH + plain + frames * TAG_LENGTH
