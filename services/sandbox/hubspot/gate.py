"""What a call meets at HubSpot: its rate limits, their headers, and its errors."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp

from services.sandbox.gate import VendorGate
from services.sandbox.hubspot.calls import HubSpot
from services.sandbox.hubspot.replies import envelope
from services.sandbox.knobs import Fate, RateLimit

_LIMITS = {"DAILY": "daily limit", "SECONDLY": "secondly limit", "TEN_SECONDLY_ROLLING": "ten_secondly_rolling limit"}


class Gate(VendorGate):
    """The gate of one account."""

    def __init__(self, app: ASGIApp, account: HubSpot) -> None:
        super().__init__(app, account.dial)
        self._account = account

    def refusal(self, path: str, fate: Fate) -> Response | None:
        knobs = self._account.dial.knobs
        if self._account.ten_seconds.full(knobs.ten_secondly):
            return throttled(RateLimit(policy="TEN_SECONDLY_ROLLING", seconds=10))
        if path.endswith("/search") and self._account.second.full(knobs.search_secondly):
            # The search bucket's refusals carry no Retry-After.
            return throttled(RateLimit(policy="SECONDLY", retry_after="none"))
        return throttled(knobs.rate_limit) if fate.rate_limit else None

    def own_failure(self) -> Response:
        return envelope(500, "internal error", {})

    def headers(self) -> Mapping[str, str]:
        limit = self._account.dial.knobs.ten_secondly or 190
        return {
            "x-hubspot-ratelimit-interval-milliseconds": "10000",
            "x-hubspot-ratelimit-max": str(limit),
            "x-hubspot-ratelimit-remaining": str(self._account.ten_seconds.left(limit)),
        }


def throttled(limit: RateLimit) -> Response:
    """429 with HubSpot's body; the policy tells a burst from the day's quota."""
    wait = limit.header()
    return envelope(
        429,
        f"You have reached your {_LIMITS[limit.policy]}.",
        {"Retry-After": wait} if wait is not None else {},
        errorType="RATE_LIMIT",
        policyName=limit.policy,
        groupName="publicapi:private-apps-api-calls",
    )
