"""What a call meets at Stripe: its throttling, its errors, and the names that every answer carries."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp

from services.sandbox.gate import VendorGate
from services.sandbox.knobs import Fate, RateLimit
from services.sandbox.stripe.calls import STABLE, Stripe
from services.sandbox.stripe.replies import envelope, request_id


class Gate(VendorGate):
    """The gate of one account."""

    def __init__(self, app: ASGIApp, account: Stripe) -> None:
        super().__init__(app, account.dial)
        self._account = account

    def refusal(self, path: str, fate: Fate) -> Response | None:
        return throttled(self._account.dial.knobs.rate_limit) if fate.rate_limit else None

    def own_failure(self) -> Response:
        again = {"Stripe-Should-Retry": "true"}
        return envelope(500, "api_error", "Sorry, there was an error on our end.", headers=again)

    def headers(self) -> Mapping[str, str]:
        return {"request-id": request_id(), "stripe-version": STABLE}


def throttled(limit: RateLimit) -> Response:
    """429 with Stripe's body. The vendor seldom sends Retry-After; which form it takes is the knob's."""
    wait = limit.header()
    headers = {"Stripe-Should-Retry": "true"} | ({"Retry-After": wait} if wait is not None else {})
    return envelope(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit", headers=headers)
