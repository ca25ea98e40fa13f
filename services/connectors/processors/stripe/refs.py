"""What an item's reference says: the object, the customer it hangs on, and what it can not be parted from."""

import re
from dataclasses import dataclass

from habeas.sdk import Identity, Item
from services.connectors.processors.stripe.shapes import Thing

CUSTOMER = "customer"
PAYMENT_METHODS = "payment_methods"
TAX_IDS = "tax_ids"
BALANCE = "balance"
SUBSCRIPTIONS = "subscriptions"
DRAFTS = "drafts"
INVOICES = "invoices"
CHARGES = "charges"
ATTEMPTS = "attempts"

# One item each per customer, told by the customer's id: they go with the customer.
WITH_CUSTOMER = {
    PAYMENT_METHODS: "payment_methods",
    TAX_IDS: "tax_ids",
    BALANCE: "balance_transactions",
}

# Records of payments and what led to them: Stripe deletes none of them, it can only redact them.
RECORDS = frozenset({INVOICES, CHARGES, ATTEMPTS})

# By the beginning of an id: the path, and the word in a redaction job.
PATHS = {
    "cus": ("customers", "customers"),
    "in": ("invoices", "invoices"),
    "sub": ("subscriptions", ""),
    "ii": ("invoiceitems", ""),
    "ch": ("charges", "charges"),
    "py": ("charges", "charges"),  # charges that are no card's
    "pi": ("payment_intents", "payment_intents"),
    "cs": ("checkout/sessions", "checkout_sessions"),
    "seti": ("setup_intents", "setup_intents"),
}

_REF = re.compile(r"(\w+)@(\w*)\+(\w+)")


@dataclass(frozen=True, slots=True)
class Ref:
    """The object `id` of `customer` ("" for a guest); things of one `unit` are redacted together."""

    id: str
    customer: str
    unit: str

    def __str__(self) -> str:
        """The reference as an item carries it."""
        return f"{self.id}@{self.customer}+{self.unit}"

    @property
    def path(self) -> str:
        """Where the object is read, below /v1."""
        return PATHS[self.id.partition("_")[0]][0]

    @property
    def root(self) -> str:
        """The word for its kind in a redaction job."""
        return PATHS[self.id.partition("_")[0]][1]


def ref_of(item: Item) -> Ref:
    """Return what the reference of an item says."""
    match = _REF.fullmatch(item.ref)
    if match is None:  # a customer, or what goes with one
        return Ref(item.ref, item.ref, item.ref)
    return Ref(match[1], match[2], match[3])


def record(thing: Thing, category: str, matched: Identity, unit: str) -> Item:
    """Return the item for an object that stands alone."""
    return Item(str(Ref(thing.id, thing.customer or "", unit)), category, matched, dated=thing.dated)


def is_draft(thing: Thing) -> bool:
    """Whether an invoice or an invoice item is not finalised."""
    return thing.status == "draft" if thing.id.startswith("in_") else thing.invoice is None
