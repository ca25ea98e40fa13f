"""What Stripe's answers must look like before anything is believed of them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from habeas.sdk import Answer, RetryLater

_ID = r"[A-Za-z0-9_]{1,255}"
VendorId = Annotated[str, Field(pattern=f"^{_ID}$")]

REDACTED = "[redacted]"

Row = dict[str, Any]
"""An object of a list, as Stripe sent it: all that is known of it is that it has an id."""


class _Shape(BaseModel):
    # An answer may hold anything: what is not needed is left out, and errors never quote it.
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Person(_Shape):
    email: str | None = None


class _Redaction(_Shape):
    status: str | None = None


class _Times(_Shape):
    finalized_at: int | None = None


class _Cancellation(_Shape):
    comment: str | None = None


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
    payment: _Payment | None = None
    disputed: bool = False
    status_transitions: _Times | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: str | None = None
    cancellation_details: _Cancellation | None = None
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
        """The payment intents by which an invoice is paid, or those that it shows when there are `more_payments`."""
        data = self.payments.data if self.payments else []
        return [one.payment.payment_intent for one in data if one.payment.payment_intent]

    @property
    def more_payments(self) -> bool:
        """Whether an invoice was paid by more than it shows itself."""
        return self.payments is not None and self.payments.has_more

    def paid_by(self, payments: Iterable["_Payment | None"]) -> "Thing":
        """Return the invoice with all its payments, where it did not show all of them itself."""
        every = [_InvoicePayment(payment=one) for one in payments if one is not None]
        return self.model_copy(update={"payments": _InvoicePayments(data=every)})

    @property
    def comment(self) -> str | None:
        """What a subscriber said on leaving."""
        return self.cancellation_details.comment if self.cancellation_details else None

    @property
    def speaks(self) -> bool:
        """Whether a subscription says something in words, of which some may be about a person."""
        return self.tells or bool(self.comment and self.comment != REDACTED)

    @property
    def tells(self) -> bool:
        """Whether it says it in words that can not be taken back once it ended."""
        return any(word and word != REDACTED for word in (self.description, *(self.metadata or {}).values()))

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
        for name in _ADDRESSES:
            yield getattr(self, name)
        for name in _DETAILS:
            details = getattr(self, name)
            yield details.email if details else None


# Where an object names addresses: itself, and in details.
_ADDRESSES = ("email", "customer_email", "receipt_email")
_DETAILS = ("customer_details", "billing_details")


def named_in(row: Row, key: str) -> Iterator[object]:
    """Yield all by which an object that is not in shape yet may name somebody; `key` is an entry of its metadata."""
    for name in _ADDRESSES:
        yield row.get(name)
    for name in _DETAILS:
        yield _inner(row.get(name), "email")
    yield _inner(row.get("metadata"), key)


def _inner(part: object, name: str) -> object:
    if isinstance(part, dict):
        return part.get(name)
    return None if part is None else [part]  # no details at all


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list or of a search."""

    data: Sequence[Row]
    has_more: bool
    next_page: str | None


_is_id = re.compile(_ID).fullmatch


def page_of(answer: Answer) -> Page:
    """Return a page; raise `RetryLater` unless it is one, of objects that have an id each.

    Checked by hand: an account is read whole by pages, and most of what they hold is nothing that is looked into.
    """
    found = answer.json()
    if isinstance(found, dict):
        data, more, cursor = found.get("data"), found.get("has_more", False), found.get("next_page")
        paged = isinstance(more, bool) and (cursor is None or isinstance(cursor, str))
        if paged and isinstance(data, list) and all(map(_has_id, data)):
            return Page(data, more, cursor)
    raise RetryLater("unreadable_answer")


def _has_id(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and _is_id(row["id"]) is not None


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
