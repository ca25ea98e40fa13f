"""Idempotency keys: the first answer to a key is given again, and a key is good for one request alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.sandbox.stripe.replies import VendorError

LONGEST = 255


@dataclass(frozen=True)
class Remembered:
    """What was asked under a key, and what was answered."""

    asked: str
    status: int
    body: bytes


@dataclass
class Keys:
    """The answers by key. The vendor forgets them after a day or more; this one when it is emptied."""

    _known: dict[str, Remembered] = field(default_factory=dict)

    def recall(self, key: str, method: str, path: str, params: Mapping[str, Any]) -> Remembered | None:
        """The answer given before; raises `VendorError` where the key was used for something else."""
        if len(key) > LONGEST:
            raise VendorError(400, "invalid_request_error", f"Idempotency keys can be at most {LONGEST} characters.")
        known = self._known.get(key)
        if known is not None and known.asked != _asked(method, path, params):
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise VendorError(400, "idempotency_error", message)
        return known

    def remember(
        self, key: str, method: str, path: str, params: Mapping[str, Any], *, status: int, body: bytes
    ) -> None:
        """Keep the first answer. Requests that failed validation are not kept, as the vendor does not keep them."""
        if status < 400 or status == 402:
            self._known[key] = Remembered(_asked(method, path, params), status, body)

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()


def _asked(method: str, path: str, params: Mapping[str, Any]) -> str:
    return f"{method} {path} {sorted(map(repr, params.items()))}"
