"""What invented people bought: how many accounts they have at Stripe, what they paid and when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

ORDINARY = ""
LONG_AGO = 365 * 9 + 40
"""Days after which no law keeps a payment."""


@dataclass(frozen=True)
class Bill:
    """An invoice, `days` old, with its payments if it was paid; `how` is `invoice`, `checkout`, or `charge` (alone)."""

    days: int
    cents: int
    how: str = "invoice"
    status: str = "paid"
    disputed: bool = False
    parts: int = 1


@dataclass(frozen=True)
class Payer:
    """One account, under the person's address (`shouting`: in other letters); `known_by_id` has it name their id.

    `tales` are the statuses of subscriptions that tell of the person; `begun` is how old what was begun and never paid
    is, in days. `nameless` has charges name no address, as those of a saved card do.
    """

    bills: tuple[Bill, ...] = ()
    shouting: bool = False
    guest: bool = False
    deleted: bool = False
    subscribed: bool = True
    cards: int = 1
    tax_id: bool = False
    known_by_id: bool = True
    tales: tuple[str, ...] = ()
    begun: int | None = None
    nameless: bool = False


_RECENT = (Bill(200, 4_900), Bill(565, 4_900))
_OLD = Bill(LONG_AGO, 1_900)
_PLAIN = Payer((*_RECENT, _OLD))

PAYERS: Mapping[str, tuple[Payer, ...]] = MappingProxyType(
    {
        ORDINARY: (_PLAIN,),
        "two customers under one address": (
            _PLAIN,
            Payer((Bill(120, 2_500),), subscribed=False, cards=2, known_by_id=False),
        ),
        "paid as a guest": (Payer((Bill(150, 3_100, "checkout"),), guest=True),),
        "deleted customer whose invoices remain": (Payer((*_RECENT, _OLD), deleted=True),),
        "address in other letters": (replace(_PLAIN, shouting=True, known_by_id=False),),
        "paid last week": (Payer((Bill(7, 4_900), _OLD)),),
        "open invoice": (Payer((Bill(20, 9_900, status="open"), _OLD, replace(_OLD, status="draft")), tax_id=True),),
        "disputed payment": (Payer((replace(_OLD, disputed=True), replace(_OLD, days=LONG_AGO + 30))),),
        "only old invoices": (Payer((_OLD, replace(_OLD, days=LONG_AGO + 31))),),
        "many old invoices": (Payer(tuple(replace(_OLD, days=LONG_AGO + 31 * n) for n in range(12)), deleted=True),),
        "no invoices": (Payer(tax_id=True, cards=2),),
        "nothing paid for": (),
        "subscription that tells": (Payer((_OLD,), tales=("active",)),),
        "ended subscription that tells": (Payer((_OLD,), tales=("active", "canceled")),),
        "began to pay": (Payer((_OLD, replace(_OLD, days=LONG_AGO + 31, how="charge")), begun=30),),
        "paid in parts": (Payer((replace(_OLD, parts=12),), deleted=True),),
        "paid by a saved card": (replace(_PLAIN, nameless=True),),
        "paid as a guest who left an address at the checkout alone": (
            Payer((Bill(150, 3_100, "checkout"),), guest=True, nameless=True),
        ),
    }
)

# By the number of the person within a cycle; the others are ordinary. Only people who are odd elsewhere are odd here.
NUMBERED = {
    1: "two customers under one address",
    2: "paid as a guest",
    3: "deleted customer whose invoices remain",
    4: "address in other letters",
    5: "paid last week",
    7: "open invoice",
    9: "disputed payment",
    11: "only old invoices",
    13: "many old invoices",
    14: "no invoices",
    22: "nothing paid for",
}
