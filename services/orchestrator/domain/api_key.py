"""API keys: `hab_live_<256 random bits>_<checksum>`; only a digest is kept, and a mistyped key needs no look-up."""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 43  # 62**43 > 2**256
_CHECKSUM_LENGTH = 6  # 62**6 > 2**32
_SHAPE = re.compile(rf"(hab_(live|test)_[0-9A-Za-z]{{{_SECRET_LENGTH}}})_([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its holder has it. `digest` is what is stored of it."""

    text: str = field(repr=False)
    livemode: bool

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text: with 256 random bits inside, nothing slower is needed."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def hint(self) -> str:
        """The last four characters, by which people tell keys apart; they belong to the checksum."""
        return self.text[-4:]


def mint(*, livemode: bool) -> ApiKey:
    """Return a fresh key."""
    mode = "live" if livemode else "test"
    start = f"hab_{mode}_{_base62(secrets.randbits(256), _SECRET_LENGTH)}"
    return ApiKey(f"{start}_{_checksum(start)}", livemode)


def parse(text: str) -> ApiKey | None:
    """Return the key, or None when its shape or its checksum is wrong: such a one can not exist."""
    match = _SHAPE.fullmatch(text)
    if match is None or not hmac.compare_digest(_checksum(match[1]), match[3]):
        return None
    return ApiKey(text, match[2] == "live")


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
