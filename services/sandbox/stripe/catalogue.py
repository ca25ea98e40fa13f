"""The kinds of object that Stripe knows: their paths, the prefix of their ids, and where they speak of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Kind:
    """One kind: its `object` name, the `prefix` of its ids, its `path`, and the fields that redaction empties."""

    name: str
    prefix: str
    path: str
    personal: tuple[str, ...]
    transaction: bool = False

    @property
    def root(self) -> str:
        """The word for it in a redaction job's `objects`."""
        return self.path.replace("/", "_")


_INVOICED = ("customer_name", "customer_email", "customer_phone", "customer_address", "description", "metadata")

CUSTOMER = Kind(
    "customer", "cus", "customers", ("name", "email", "phone", "address", "description", "shipping", "metadata")
)
PAYMENT_METHOD = Kind("payment_method", "pm", "payment_methods", ("billing_details", "card", "metadata"))
TAX_ID = Kind("tax_id", "txi", "tax_ids", ("value",))
BALANCE = Kind("customer_balance_transaction", "cbtxn", "balance_transactions", ("description", "metadata"))
SUBSCRIPTION = Kind("subscription", "sub", "subscriptions", ("description", "metadata", "cancellation_details"))
INVOICE_ITEM = Kind("invoiceitem", "ii", "invoiceitems", ("description", "metadata"))
INVOICE = Kind("invoice", "in", "invoices", _INVOICED, transaction=True)
CREDIT_NOTE = Kind("credit_note", "cn", "credit_notes", ("memo", "metadata"), transaction=True)
PAYMENT_INTENT = Kind(
    "payment_intent", "pi", "payment_intents", ("receipt_email", "description", "metadata"), transaction=True
)
CHARGE = Kind(
    "charge", "ch", "charges", ("billing_details", "receipt_email", "description", "metadata"), transaction=True
)
DISPUTE = Kind("dispute", "dp", "disputes", ("evidence", "metadata"), transaction=True)
SESSION = Kind(
    "checkout.session", "cs", "checkout/sessions", ("customer_details", "customer_email", "metadata"), transaction=True
)
SETUP_INTENT = Kind("setup_intent", "seti", "setup_intents", ("description", "metadata"))

KINDS = (
    CUSTOMER, PAYMENT_METHOD, TAX_ID, BALANCE, SUBSCRIPTION, INVOICE_ITEM, INVOICE, CREDIT_NOTE, PAYMENT_INTENT,
    CHARGE, DISPUTE, SESSION, SETUP_INTENT,
)  # fmt: skip

ROOTS: Mapping[str, Kind] = MappingProxyType(
    {kind.root: kind for kind in (CUSTOMER, INVOICE, CHARGE, PAYMENT_INTENT, SESSION, SETUP_INTENT)}
)
"""What a redaction job may start from, as far as this simulator knows such things."""
