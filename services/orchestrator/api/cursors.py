"""Cursors of lists: opaque and signed, bound to their list and its filters, so that none can be made up or misused."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

from services.orchestrator.api.problems import ProblemRaised

_MAC = 12


class Cursors:
    """Makes and reads cursors of one installation."""

    def __init__(self, key: bytes) -> None:
        """Sign with `key` (32 bytes)."""
        self._key = key

    def make(self, listing: str, filters: Mapping[str, Any], after: str | int) -> str:
        """Return the cursor of the page of `listing` that follows the item `after`."""
        place = json.dumps(after).encode()
        return _encode(self._mac(listing, filters, place) + place)

    def read(self, listing: str, filters: Mapping[str, Any], cursor: str) -> Any:
        """Return the item that the page follows; raise the problem `cursor_invalid`."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise _invalid() from None
        mac, place = raw[:_MAC], raw[_MAC:]
        if _encode(raw) != cursor or not hmac.compare_digest(mac, self._mac(listing, filters, place)):
            raise _invalid()
        return json.loads(place)

    def _mac(self, listing: str, filters: Mapping[str, Any], place: bytes) -> bytes:
        bound = json.dumps([listing, dict(filters)], sort_keys=True, default=str).encode()
        return hmac.digest(self._key, bound + b"\x00" + place, "sha256")[:_MAC]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _invalid() -> ProblemRaised:
    detail = "Take `next_cursor` from the answer before, with the same filters, or leave the cursor out to start anew."
    return ProblemRaised("cursor_invalid", detail)
