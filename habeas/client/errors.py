"""What the client raises, named by what the caller can do; none of it ever shows an identity or a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class HabeasError(Exception):
    """Anything that went wrong between this client and Habeas."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused: `pointer` (RFC 6901, into the body that was sent) and what is wrong with it."""

    pointer: str
    detail: str


class HabeasProblem(HabeasError):
    """The server answered with an error (RFC 9457).

    `status`      HTTP status.
    `code`        stable machine word, to branch on; `unexpected_answer` when the answer was no problem document.
    `detail`      one sentence for people.
    `retryable`   whether the same call may work later.
    `errors`      which fields were refused.
    `request_id`  X-Request-Id of the exchange: quote it when asking for help.

    >>> raise HabeasProblem(status=404, code="not_found", detail="there is no such request")
    Traceback (most recent call last):
    habeas.client.errors.HabeasProblem: there is no such request (not_found)
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        retryable: bool = False,
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
    ) -> None:
        """Keep what the problem document said."""
        super().__init__(f"{detail.rstrip('.')} ({code})")
        self.status = status
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.errors = errors
        self.request_id = request_id

    @classmethod
    def read(cls, document: object, *, status: int, request_id: str | None) -> "HabeasProblem":
        """Make the exception of a decoded problem document; of anything else, `unexpected_answer`."""
        if not isinstance(document, Mapping) or "code" not in document:
            detail = f"the server answered {status} without saying why"
            return cls(status=status, code="unexpected_answer", detail=detail, request_id=request_id)
        return cls(
            status=status,
            code=str(document["code"]),
            detail=str(document.get("detail") or document.get("title") or f"the server answered {status}"),
            retryable=document.get("retryable") is True,
            errors=_field_errors(document.get("errors")),
            request_id=request_id or document.get("request_id"),
        )


class Unreachable(HabeasError):
    """No answer came: the server is down or slow, or the address is wrong; whether the call took effect is unknown."""


class UnreadableAnswer(HabeasError):
    """The server said yes, but not in words that this client can read: a proxy's page, or another major version."""


class PackageBroken(HabeasError):
    """A package did not come whole, or not as its manifest says: nothing was kept, and it can be fetched again."""

    def __init__(self, what: str) -> None:
        """Say what is wrong with it."""
        super().__init__(f"{what}: nothing was kept, fetch it again")


class NotSettledInTime(HabeasError, TimeoutError):
    """A request was not over when the patience of `wait_until_settled` ended; `state` is where it stood."""

    def __init__(self, request: str, *, state: str, attention: str | None, waited: float) -> None:
        """Say where the request stands; `waited` is in seconds."""
        needs = f", and needs a person ({attention})" if attention else ""
        super().__init__(f"{request} is still {state} after {waited:.3g} s{needs}")
        self.request = request
        self.state = state
        self.attention = attention


class NotSendable(HabeasError, ValueError):
    """An argument cannot be put into a call: an id that is empty, a key that no header can carry."""


def _field_errors(value: Any) -> tuple[FieldError, ...]:
    if not isinstance(value, list):
        return ()
    entries = [entry for entry in value if isinstance(entry, Mapping)]
    return tuple(FieldError(str(entry.get("pointer", "")), str(entry.get("detail", ""))) for entry in entries)
