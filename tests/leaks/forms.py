"""The forms in which a value may hide among other bytes: as it is, in another case, in base64, in hex, in a URL."""

import base64
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 8  # a shorter value leaves so few characters of base64 that they are found by chance


def forms(value: str) -> dict[bytes, str]:
    """Return what to look for, each with the name of its form.

    Found is `value` in any of three spellings (as it is, lower and upper case), wherever it stands in what was
    encoded: base64 looks different at each of three offsets, and its ends depend on the neighbours, so they are left
    out. Raises `ValueError` for a value of less than eight bytes.
    """
    if len(value.encode()) < SHORTEST:
        raise ValueError("too short to look for")
    found: dict[bytes, str] = {}
    for spelling, text in (("as it is", value), ("in lower case", value.lower()), ("in upper case", value.upper())):
        for form, needle in _encoded(text.encode()):
            found.setdefault(needle, f"{form}, {spelling}")
    return found


def _encoded(raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield "plain", raw
    yield "hex", raw.hex().encode()
    yield "hex in capitals", raw.hex().upper().encode()
    for offset in range(3):
        yield f"base64 at offset {offset}", _inner_base64(raw, offset)
        yield f"URL-safe base64 at offset {offset}", _inner_base64(raw, offset).translate(bytes.maketrans(b"+/", b"-_"))
    every_byte = "".join(f"%{byte:02X}" for byte in raw)
    in_urls = {"query": quote(raw, safe=""), "path": quote(raw), "form": quote_plus(raw), "every byte": every_byte}
    for part, text in in_urls.items():
        yield f"URL-encoded ({part})", text.encode()
        yield f"URL-encoded ({part}) with small digits", _small(text).encode()


def _inner_base64(raw: bytes, offset: int) -> bytes:
    """Return the characters that stand for `raw`, and nothing else, behind `offset` other bytes."""
    text = base64.b64encode(bytes(offset) + raw)
    first = (0, 2, 3)[offset]  # these hold bits of what stands before
    end = (offset + len(raw)) // 3 * 4  # a last, incomplete group holds bits of what comes after
    rest = (offset + len(raw)) % 3
    return text[first : end + (0, 1, 2)[rest]]


def _small(text: str) -> str:
    """Return a URL-encoded text with the hex digits of its escapes in lower case."""
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])
