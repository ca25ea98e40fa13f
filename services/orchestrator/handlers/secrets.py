"""Packs what concerns the subject under the request's data key, and opens it again."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from habeas.vocabulary import IdentityType
from services.chassis.crypto.at_rest import decrypt, encrypt


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """One identity of the subject; `provenance` is "filed", or the id of the processor that resolved it in `round`."""

    type: IdentityType
    value: str = field(repr=False)
    provenance: str = "filed"
    round: int = 0


@dataclass(frozen=True, slots=True)
class KnownCorrection:
    """One value to put right; `field` is a key of the data register. Without `old`, whatever stands there is wrong."""

    field: str
    old: str | None = dataclasses.field(repr=False)
    new: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a request knows of its subject. `contact` is an e-mail address; `reference` the client's own."""

    identities: tuple[KnownIdentity, ...] = field(repr=False)
    contact: str | None = field(default=None, repr=False)
    reference: str | None = field(default=None, repr=False)
    corrections: tuple[KnownCorrection, ...] = field(default=(), repr=False)


def pack(key: bytes, request_id: str, secrets: Secrets) -> bytes:
    """Return `request_secrets.sealed`, bound to the request's row."""
    document: dict[str, Any] = {
        "identities": [
            {"type": one.type.value, "value": one.value, "provenance": one.provenance, "round": one.round}
            for one in secrets.identities
        ],
        "contact": None if secrets.contact is None else {"email": secrets.contact},
        "reference": secrets.reference,
    }
    if secrets.corrections:
        document["corrections"] = [[one.field, one.old, one.new] for one in secrets.corrections]
    return encrypt(key, json.dumps(document, ensure_ascii=False).encode(), _place(request_id))


def unpack(key: bytes, request_id: str, sealed: bytes) -> Secrets:
    """Return what `pack` was given; raise `Undecryptable` for another key or another request's bytes."""
    document = json.loads(decrypt(key, sealed, _place(request_id)))
    identities = tuple(
        KnownIdentity(IdentityType(one["type"]), one["value"], one["provenance"], one["round"])
        for one in document["identities"]
    )
    contact = document["contact"]
    corrections = tuple(KnownCorrection(*one) for one in document.get("corrections", ()))
    return Secrets(identities, None if contact is None else contact["email"], document["reference"], corrections)


def _place(request_id: str) -> str:
    return f"request_secrets/{request_id}"
