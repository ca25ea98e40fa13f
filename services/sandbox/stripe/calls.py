"""What a handler may ask of one call: its parameters, the books, the ledger, and what the dice said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from services.sandbox.knobs import Dial, Fate, StripeKnobs
from services.sandbox.ledger import Entry, Ledger
from services.sandbox.stripe.books import Books, Thing
from services.sandbox.stripe.catalogue import CUSTOMER, Kind
from services.sandbox.stripe.idempotency import Keys
from services.sandbox.stripe.jobs import Jobs
from services.sandbox.stripe.replies import missing, refuse

STABLE = "2026-10-28.endive"
"""The account's own version of the API, for calls that name none."""


@dataclass
class Stripe:
    """One simulated account: its books, redaction jobs, idempotency keys, ledger, knobs and secret key."""

    ledger: Ledger
    dial: Dial[StripeKnobs]
    key: str
    books: Books = field(default_factory=Books)
    keys: Keys = field(default_factory=Keys)
    jobs: Jobs = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.books)

    def settle(self) -> None:
        """Let redaction jobs go on as far as time has come, and write down what they did."""
        self.ledger.extend(
            [Entry(f"{thing.kind.name}.redact", thing.id, thing.person) for thing in self.jobs.advance(self.dial.knobs)]
        )

    def reset(self) -> None:
        """Nobody there, no jobs, and no keys remembered."""
        self.books.clear()
        self.jobs.clear()
        self.keys.clear()


@dataclass(frozen=True)
class Call:
    """One request on its way through a handler; `params` are those of its query or form, read from brackets."""

    request: Request
    account: Stripe
    params: Mapping[str, Any]

    @property
    def books(self) -> Books:
        """The account's objects."""
        return self.account.books

    @property
    def lying(self) -> bool:
        """Whether this call is to claim success and do nothing."""
        return bool(self.request.scope.get("fate", Fate()).lie)

    @property
    def preview(self) -> bool:
        """Whether the call asks for a preview version of the API."""
        return version_of(self.request).endswith(".preview")

    def only(self, *names: str) -> None:
        """Refuse parameters other than these, as the vendor does."""
        for name in self.params:
            if name not in (*names, "expand"):
                refuse(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)

    def text(self, name: str) -> str | None:
        """A parameter that is text, or None without one."""
        value = self.params.get(name)
        if value is not None and not isinstance(value, str):
            refuse(f"Invalid string: {name}", param=name)
        return value

    def expands(self, name: str) -> bool:
        """Whether `expand[]` asks for it."""
        wanted = self.params.get("expand") or ()
        return name in (wanted if isinstance(wanted, list) else ())

    def thing(self, kind: Kind) -> Thing:
        """The object named in the path; 404 without one."""
        wanted = self.request.path_params["id"]
        found = self.books.find(kind, wanted)
        if found is None:
            raise missing(kind.name, wanted)
        return found

    def customer(self) -> Thing:
        """The live customer named in the path; 404 without one."""
        found = self.thing(CUSTOMER)
        if found.deleted:
            raise missing("customer", found.id)
        return found

    def note(self, effect: str, thing: Thing, *, changed: bool) -> None:
        """Put an effect on the ledger, with the caller's idempotency key if it sent one."""
        self.account.ledger.append(Entry(effect, thing.id, thing.person, self.key, changed))

    @property
    def key(self) -> str | None:
        """The caller's idempotency key."""
        return self.request.headers.get("idempotency-key")


def version_of(request: Request) -> str:
    """The version of the API that a request asks for."""
    return request.headers.get("stripe-version", STABLE)
