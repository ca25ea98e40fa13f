"""Stripe as vendor under test: one account of a sandbox, filled with people who pay in one way."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from habeas.engine import Settled
from habeas.sdk import (
    Action,
    CountedFrom,
    Disposition,
    Http,
    Identity,
    IdentityType,
    Manifest,
    Processor,
    RetentionRule,
)
from habeas.testing import Time, Trial
from habeas.vocabulary import Checked
from services.connectors.processors.stripe import Stripe
from services.connectors.processors.stripe import processor as stripe
from services.connectors.processors.stripe.settings import Settings
from tests.conformance.sandbox import Sandbox, SandboxVendor, known_by
from tests.plain import HTTP

MANIFEST = Manifest.load(Path(stripe.__file__).with_name("manifest.toml"))
TAX = tuple(RetentionRule(category, "tax_law", 84, CountedFrom.END_OF_YEAR) for category in ("invoices", "charges"))

Told = set[tuple[str, Disposition, int, str | None]]


class StripeVendor(SandboxVendor):
    """One Stripe account; `payer` is the kind of person that it is filled with."""

    name = "stripe"
    manifest = MANIFEST
    payer = "no invoices"

    def __init__(self, sandbox: Sandbox, **settings: Any) -> None:
        super().__init__(sandbox)
        self.settings = settings
        self.key = "sk_test_sandbox"
        self.made: dict[str, dict[str, Any]] = {}

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox.http_port}/stripe"

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Processor[Any]]:
        config = Settings(base_url=self.base_url, key=SecretStr(self.key), **self.settings)
        http = Http(base_url=self.base_url, timeout=20, transport=self.transport())
        async with http, Stripe(config=config, http=http) as processor:
            yield processor

    async def person(self) -> Sequence[Identity]:
        return known_by(self.somebody())

    def somebody(self, payer: str | None = None) -> dict[str, Any]:
        """A new person who pays in this way."""
        self.sandbox.seed += 1
        wanted = {"count": 1, "seed": self.sandbox.seed, "payer": self.payer if payer is None else payer}
        people: list[dict[str, Any]] = self.sandbox.control("POST", "/people", wanted)["people"]
        self.made[people[0]["customer_id"]] = people[0]
        return people[0]

    def whose(self, identities: Sequence[Identity]) -> dict[str, Any]:
        """The person with this customer id, whom this vendor was filled with."""
        return self.made[next(one.value for one in identities if one.type is IdentityType.CUSTOMER_ID)]

    async def remains(self, identities: Sequence[Identity]) -> int:
        return sum(self.left(identities))

    def left(self, identities: Sequence[Identity]) -> tuple[int, int]:
        """What should go, and what law lets the controller keep."""
        customer_id = next(one.value for one in identities if one.type is IdentityType.CUSTOMER_ID)
        left = self.sandbox.control("GET", f"/people/{customer_id}/remains")
        return left["stripe"], left["stripe_kept"]

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        person = self.whose(identities)
        return (person["name"], person["email"], person["phone"])

    async def value(self, identities: Sequence[Identity], field: str) -> str | None:
        customer = self.ask("GET", f"/v1/customers/{self.whose(identities)['customers'][0]}").json()
        held = customer["address"] if field.startswith("billing.") else customer
        value: str | None = held[field.partition(".")[2]]
        return value

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, *, version: str = "") -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key}", **({"stripe-version": version} if version else {})}
        return HTTP.request(method, self.base_url + path, headers=headers, data=form)


def serving(action: Action) -> Manifest:
    """The manifest with this action alone: the rules of all of them take minutes."""
    return MANIFEST.model_copy(update={"actions": {action: MANIFEST.actions[action]}, "resolves": (), "fields": {}})


class ExportingVendor(StripeVendor):
    """The same, filled with people who paid, and began to: what is exported is more than customers."""

    manifest = serving(Action.EXPORT)
    payer = "began to pay"


class RedactingVendor(StripeVendor):
    """The same, with redaction, which changes nothing but erasures: all that a person paid lies beyond every period."""

    manifest = serving(Action.ERASE)
    payer = "only old invoices"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, redaction=True)


def trial(vendor: StripeVendor, person: dict[str, Any], **how: Any) -> Trial:
    """An erasure by address alone, by today's clock, for the sandbox dates payments from today."""
    usual: dict[str, Any] = {"identities": known_by(person)[:1], "retention": TAX, "clock": Time(datetime.now(UTC))}
    return Trial(vendor, **{**usual, **how})


def lines_of(verdict: object) -> Told:
    assert isinstance(verdict, Settled), verdict
    assert {line.checked for line in verdict.lines} <= {Checked.VERIFIED}
    sums: Counter[tuple[str, Disposition, str | None]] = Counter()
    for line in verdict.lines:
        sums[line.category, line.disposition, line.ground or line.reason] += line.count
    return {(category, disposition, count, word) for (category, disposition, word), count in sums.items()}
