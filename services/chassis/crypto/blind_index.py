"""Looks a subject up without storing who it is: a keyed hash of the normalised identity."""

import hmac
import unicodedata

from habeas.vocabulary import IdentityType

LENGTH = 16


def normalise(kind: IdentityType, value: str) -> str:
    """Return the form under which two spellings of one identity are the same.

    E-mail: trimmed, NFC, lower case. Phone: a leading + and digits alone. Others: trimmed and NFC, since an
    identifier of a system may well tell upper from lower case.
    """
    text = unicodedata.normalize("NFC", value.strip())
    if kind is IdentityType.EMAIL:
        return text.lower()
    if kind is IdentityType.PHONE:
        return ("+" if text.startswith("+") else "") + "".join(character for character in text if character.isdigit())
    return text


def blind_index(key: bytes, kind: IdentityType, value: str) -> bytes:
    """Return 16 bytes: HMAC-SHA256 under `key`, cut, of type and normalised value."""
    return hmac.digest(key, f"{kind.value}\x1f{normalise(kind, value)}".encode(), "sha256")[:LENGTH]
