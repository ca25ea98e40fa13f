"""Ids as people see them: a prefix that names the kind, then 128 bits in Crockford base 32, ordered by time."""

import re
import secrets
import time
from typing import Annotated, Literal

from pydantic import StringConstraints

Prefix = Literal["req", "cas", "tsk", "att", "ntc", "evt", "prv", "cli", "key", "enr"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Python's own digits of base 32 in the place of Crockford's; a letter that is none of ours stops being a digit at all.
_TO_PYTHON = str.maketrans(_ALPHABET + "ILOU", "0123456789abcdefghijklmnopqrstuv" + "!!!!")
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_SHAPE = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"

RequestId = Annotated[str, StringConstraints(pattern=rf"^req_{_SHAPE}$")]
CaseId = Annotated[str, StringConstraints(pattern=rf"^cas_{_SHAPE}$")]
TaskId = Annotated[str, StringConstraints(pattern=rf"^tsk_{_SHAPE}$")]
NoticeId = Annotated[str, StringConstraints(pattern=rf"^ntc_{_SHAPE}$")]


def encode(prefix: Prefix, number: int) -> str:
    """Return `prefix` and the 26 characters that stand for `number` (0 <= number < 2**128)."""
    digits = []
    for _ in range(13):
        digits.append(_PAIRS[number & 0x3FF])
        number >>= 10
    return f"{prefix}_{''.join(reversed(digits))}"


def new(prefix: Prefix) -> str:
    """Return a fresh id: 48 bits of Unix milliseconds, version 8 of RFC 9562, 74 random bits."""
    return encode(prefix, layout(time.time_ns() // 1_000_000, secrets.randbits(80)))


def derived(prefix: Prefix, milliseconds: int, digest: bytes) -> str:
    """Return the id that `digest` (at least 10 bytes of an HMAC) gives at a time: the same for the same input."""
    return encode(prefix, layout(milliseconds, int.from_bytes(digest[:10], "big")))


def layout(milliseconds: int, entropy: int) -> int:
    """Lay time and 80 bits of entropy out as a UUIDv8 (RFC 9562 5.8); six bits go to version and variant."""
    high = entropy >> 62 & 0xFFF
    low = entropy & (1 << 62) - 1
    return (milliseconds & (1 << 48) - 1) << 80 | 0x8 << 76 | high << 64 | 0b10 << 62 | low


def is_id(prefix: Prefix, text: str) -> bool:
    """Whether `text` is an id of this kind."""
    return re.fullmatch(rf"{prefix}_{_SHAPE}", text) is not None


def milliseconds_of(text: str) -> int:
    """Return the Unix milliseconds inside an id: its first 50 bits, of which two are always 0."""
    return int(text.partition("_")[2][:10].translate(_TO_PYTHON), 32)
