"""The proof of a message: which bytes are covered, and how the header that carries it reads."""

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from functools import lru_cache

HEADER = "habeas-proof"
LABEL = b"habeas-proof-v1"
_length = struct.Struct(">I").pack
_LABELLED = _length(len(LABEL)) + LABEL
_SHAPE = re.compile(r"v1;kid=([a-z][a-z0-9-]{1,39}/[1-9][0-9]{0,8});mac=([A-Za-z0-9_-]{43})")


class MalformedProof(ValueError):
    """The proof header is absent or not of the form `v1;kid=<processor>/<version>;mac=<base64url of 32 bytes>`."""


def signing_input(*, kid: str, topic: str, key: bytes, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the bytes that the HMAC-SHA256 covers.

    Each part is preceded by its length as 4 bytes, big-endian, so that no two messages share an input: label, kid,
    topic, key, then every `ce_` header (sorted by name; name, value), then the raw body. `traceparent` and other
    headers are not covered: they are hints that change on the way.
    """
    parts = [_LABELLED, _framed(kid), _framed(topic), _length(len(key)), key]
    for name in sorted(headers):
        if name.startswith("ce_"):
            value = headers[name].encode()
            parts += (_framed(name), _length(len(value)), value)
    parts += (_length(len(body)), body)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _framed(text: str) -> bytes:
    """Return `text` behind its length; for words of which there are few, and each is met all the time."""
    part = text.encode()
    return _length(len(part)) + part


def render(kid: str, mac: bytes) -> str:
    """Return the header's value for a MAC of 32 bytes."""
    return f"v1;kid={kid};mac={base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def parse(value: str | None) -> tuple[str, bytes]:
    """Return `(kid, mac)` of a header's value."""
    match = _SHAPE.fullmatch(value or "")
    if match is None:
        raise MalformedProof
    try:
        return match[1], base64.urlsafe_b64decode(match[2] + "=")
    except binascii.Error:
        raise MalformedProof from None


def kid_of(processor: str, version: int) -> str:
    """Return the key id of a processor's secret of one version."""
    return f"{processor}/{version}"


def processor_of(kid: str) -> str:
    """Return the processor that a key id belongs to."""
    return kid.partition("/")[0]
