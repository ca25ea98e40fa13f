"""Proves messages and checks proofs: HMAC-SHA256 over the bytes that `contracts.proof` lays out."""

import hmac
from collections.abc import Mapping

from contracts.proof import MalformedProof, parse, render, signing_input
from services.chassis.crypto.keys import KeySource, ProcessorKeys


class Unproven(ValueError):
    """A message carries no proof, or one that does not hold. `reason` is a machine word."""

    def __init__(self, reason: str, kid: str | None = None) -> None:
        """Take `reason` and the kid that the message claimed, if it could be read."""
        super().__init__(reason)
        self.reason = reason
        self.kid = kid


def prove(keys: ProcessorKeys, *, topic: str, key: bytes, headers: Mapping[str, str], body: bytes) -> str:
    """Return the value of the proof header."""
    covered = signing_input(kid=keys.kid, topic=topic, key=key, headers=headers, body=body)
    return render(keys.kid, hmac.digest(keys.proving, covered, "sha256"))


def check(
    source: KeySource, proof: str | None, *, topic: str, key: bytes, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the kid whose proof holds; raise `Unproven`."""
    try:
        kid, mac = parse(proof)
    except MalformedProof:
        raise Unproven("no_proof" if proof is None else "malformed_proof") from None
    keys = source.get(kid)
    if keys is None:
        raise Unproven("unknown_kid", kid)
    covered = signing_input(kid=kid, topic=topic, key=key, headers=headers, body=body)
    if not hmac.compare_digest(mac, hmac.digest(keys.proving, covered, "sha256")):
        raise Unproven("forged_proof", kid)
    return kid
