"""Seals and opens what concerns a subject: compact JWE (RFC 7516) by joserfc, with our two algorithms and no others."""

from functools import lru_cache

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import to_bytes, urlsafe_b64decode
from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.seal import ALG, ENC
from services.chassis.crypto.keys import ProcessorKeys


class BrokenSeal(ValueError):
    """The seal can not be opened with this key: not a JWE of ours, tampered with, or for somebody else."""


class _Header(BaseModel):
    """The protected header of a seal of ours: exactly these three, so that nothing in it chooses how it is opened."""

    model_config = ConfigDict(extra="forbid", strict=True)

    alg: str
    enc: str
    kid: str


def seal(keys: ProcessorKeys, payload: BaseModel | bytes) -> str:
    """Return `payload` (a model as JSON, or bytes) sealed to a processor, with a fresh content key."""
    plaintext = payload if isinstance(payload, bytes) else payload.model_dump_json().encode()
    header = {"alg": ALG, "enc": ENC, "kid": keys.kid}
    return jwe.encrypt_compact(header, plaintext, _key(keys.sealing), algorithms=[ALG, ENC])


def kid_in(sealed: str) -> str:
    """Return the kid that a seal names; raise `BrokenSeal` when it is no seal of ours."""
    return _kid_of(sealed.partition(".")[0])


@lru_cache(maxsize=256)
def _kid_of(protected: str) -> str:
    """Return the kid of a protected header, which is the same text in every seal of one key."""
    try:
        header = _Header.model_validate_json(urlsafe_b64decode(to_bytes(protected)))
    except (ValidationError, ValueError):
        raise BrokenSeal from None
    if (header.alg, header.enc) != (ALG, ENC):
        raise BrokenSeal
    return header.kid


def unseal(keys: ProcessorKeys, sealed: str) -> bytes:
    """Return what is inside; raise `BrokenSeal`."""
    if kid_in(sealed) != keys.kid:
        raise BrokenSeal
    try:
        opened = jwe.decrypt_compact(sealed, _key(keys.sealing), algorithms=[ALG, ENC])
    except (JoseError, ValueError):
        raise BrokenSeal from None
    return opened.plaintext or b""


@lru_cache(maxsize=256)
def _key(sealing: bytes) -> OctKey:
    """Return a sealing key as joserfc takes it: to import one costs a tenth of a seal."""
    return OctKey.import_key(sealing)
