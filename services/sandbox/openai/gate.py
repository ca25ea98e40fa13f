"""What a call meets at OpenAI: its throttling in every form, a spent quota, its errors, and what answers carry."""

from collections.abc import Mapping
from itertools import count
from uuid import uuid4

from starlette.responses import Response
from starlette.types import ASGIApp

from services.sandbox.gate import VendorGate
from services.sandbox.knobs import Fate, OpenAIKnobs
from services.sandbox.openai.calls import ORGANIZATION, OpenAI
from services.sandbox.openai.replies import failure

REQUESTS_A_MINUTE = 10_000


class Gate(VendorGate):
    """The gate of one account."""

    def __init__(self, app: ASGIApp, account: OpenAI) -> None:
        super().__init__(app, account.dial)
        self._account = account
        self._calls = count(1)

    def refusal(self, path: str, fate: Fate) -> Response | None:
        if fate.quota:
            return out_of_quota()
        return throttled(self._account.dial.knobs) if fate.rate_limit else None

    def own_failure(self) -> Response:
        return failure(500, "The server had an error while processing your request.", "server_error")

    def headers(self) -> Mapping[str, str]:
        return {
            "openai-organization": ORGANIZATION,
            "x-request-id": f"req_{uuid4().hex}",
            **_limits(REQUESTS_A_MINUTE - next(self._calls) % REQUESTS_A_MINUTE, "6ms"),
        }


def throttled(knobs: OpenAIKnobs) -> Response:
    """429 with a wait in seconds, in milliseconds, in both or in neither, as the knobs say."""
    headers = _limits(0, f"{knobs.rate_limit.seconds}s")
    wait = knobs.rate_limit.header()
    if wait is not None:
        headers["retry-after"] = wait
    if knobs.retry_after_ms is not None:
        headers["retry-after-ms"] = str(knobs.retry_after_ms)
    message = "Rate limit reached for requests. Please try again later."
    return failure(429, message, "requests", code="rate_limit_exceeded", headers=headers)


def out_of_quota() -> Response:
    """429 as well, but nobody's patience helps: the account has no money left."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return failure(429, message, "insufficient_quota", code="insufficient_quota")


def _limits(remaining: int, reset: str) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(REQUESTS_A_MINUTE),
        "x-ratelimit-remaining-requests": str(remaining),
        "x-ratelimit-reset-requests": reset,
    }
