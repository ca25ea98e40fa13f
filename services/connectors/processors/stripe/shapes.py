"""What Stripe's answers must look like before anything is believed of them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from habeas.sdk import Answer, RetryLater

VendorId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,255}$")]

REDACTED = "[redacted]"


class _Shape(BaseModel):
    # An answer may hold anything: what is not needed is left out, and errors never quote it.
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Person(_Shape):
    email: str | None = None


class _Redaction(_Shape):
    status: str | None = None


class _Times(_Shape):
    finalized_at: int | None = None


class _Payment(_Shape):
    payment_intent: VendorId | None = None


class _InvoicePayment(_Shape):
    payment: _Payment


class _InvoicePayments(_Shape):
    data: list[_InvoicePayment]
    has_more: bool = False


class Thing(_Shape):
    """Any object of Stripe's, as far as this processor looks into it; `raw` is all of it."""

    id: VendorId
    created: int | None = None
    deleted: bool = False
    status: str | None = None
    redaction: _Redaction | None = None
    customer: VendorId | None = None
    payment_intent: VendorId | None = None
    invoice: VendorId | None = None
    payments: _InvoicePayments | None = None
    disputed: bool = False
    status_transitions: _Times | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: dict[str, str | None] | None = None
    metadata: dict[str, str] | None = None
    customer_email: str | None = None
    receipt_email: str | None = None
    customer_details: _Person | None = None
    billing_details: _Person | None = None
    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The object as Stripe sent it."""
        return self._raw

    @property
    def dated(self) -> date | None:
        """The day that retention counts from: an invoice's is when it was finalised, for that is the invoice's date."""
        final = self.status_transitions.finalized_at if self.status_transitions else None
        at = final or self.created
        return None if at is None else datetime.fromtimestamp(at, UTC).date()

    @property
    def intents(self) -> list[str]:
        """The payment intents by which an invoice is paid."""
        data = self.payments.data if self.payments else []
        return [one.payment.payment_intent for one in data if one.payment.payment_intent]

    @property
    def redacted(self) -> bool:
        """Whether what spoke of a person is gone; older versions of the API show it by the placeholders alone."""
        if self.redaction is not None and self.redaction.status == "redacted":
            return True
        return REDACTED in (self.email, self.name, *self._addresses())

    def emails(self) -> list[str]:
        """The addresses that the object itself names, each once, in lower case."""
        found = (one.strip().casefold() for one in self._addresses() if one and one != REDACTED)
        return list(dict.fromkeys(one for one in found if one))

    def _addresses(self) -> Iterator[str | None]:
        yield from (self.email, self.customer_email, self.receipt_email)
        for details in (self.customer_details, self.billing_details):
            yield details.email if details else None


class Page(_Shape):
    """A page of a list or of a search."""

    data: list[dict[str, Any]]
    has_more: bool = False
    next_page: str | None = None


class Job(_Shape):
    """A redaction job; `objects` are its roots by kind, if they were asked for."""

    id: VendorId
    status: str
    created: int
    objects: dict[str, list[VendorId]] | None = None


class _Erring(_Shape):
    id: VendorId


class Problem(_Shape):
    """Why a job's validation failed."""

    id: VendorId
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    erroring_object: _Erring | None = None


class Fault(_Shape):
    """What an error says of itself; `message` is left out, for it quotes people."""

    type: str = ""
    code: str | None = None
    param: str | None = None


class Faulty(_Shape):
    """An answer that is an error."""

    error: Fault


ShapeT = TypeVar("ShapeT", bound=BaseModel)


def read(shape: type[ShapeT], answer: Answer) -> ShapeT:
    """Return an answer in shape; raise `RetryLater` when it is not: then it is no answer."""
    return shaped(shape, answer.json())


def shaped(shape: type[ShapeT], document: object) -> ShapeT:
    """Return a part of an answer in shape, likewise."""
    try:
        found = shape.model_validate(document)
    except ValidationError:
        raise RetryLater("unreadable_answer") from None
    if isinstance(found, Thing) and isinstance(document, dict):
        found._raw = document  # noqa: SLF001 (set where it is made)
    return found
