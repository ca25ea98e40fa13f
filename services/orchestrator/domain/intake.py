"""What may be filed, beyond the shape of the body: rights on offer, identities, corrections, the time of receipt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.http import CorrectionIn, IdentityIn, RectificationIn, RequestIn, SubjectIn
from habeas.vocabulary import IdentityType, Right
from services.chassis.crypto.blind_index import normalise
from services.orchestrator.domain.planning import ACTION_OF

OFFERED = tuple(ACTION_OF)
CLOCKS_DIFFER = timedelta(minutes=1)
OLDEST = timedelta(days=366)

_LABEL = r"[^\W_](?:[^\W_]|-){0,62}(?<!-)"
_EMAIL = re.compile(rf"(?!\.)(?!.*\.\.)[^\s@<>()\[\],;:\\\"]{{1,64}}(?<!\.)@(?:{_LABEL}\.)+{_LABEL}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL_LENGTH = 254
_IDENTITY_TYPES = frozenset(kind.value for kind in IdentityType)


@dataclass(frozen=True, slots=True)
class Offer:
    """What this installation can do. `exports`: there is a place to put copies of data.

    `fields` are the keys of the data register that an announced processor can correct; None: nobody knows yet, or it
    was not asked.
    """

    exports: bool = True
    fields: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused: a JSON pointer into the body, and why; never the value."""

    pointer: str
    detail: str


class Unacceptable(Exception):
    """A body has the right shape and still can not be filed. `code` is stable."""

    def __init__(self, code: str, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        """Take a machine word, a sentence and the fields at fault."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors


def accept(body: RequestIn, *, now: datetime, offer: Offer = Offer()) -> datetime:
    """Return when the subject asked, in UTC; raise `Unacceptable` with every field that is wrong."""
    if body.right not in OFFERED:
        offered = ", ".join(right.value for right in OFFERED)
        error = FieldError("/right", f"Offered are: {offered}.")
        raise Unacceptable("right_not_offered", "This right is not offered here.", (error,))
    if body.right is Right.ACCESS and not offer.exports:
        error = FieldError("/right", "There is no place for copies of data: an operator has to set HABEAS_EXPORTS_URL.")
        raise Unacceptable("right_not_offered", "This right is not offered here.", (error,))
    errors = tuple(_errors(body, now))
    if errors:
        raise Unacceptable("validation_failed", "The body is well formed, but fields of it are wrong.", errors)
    if body.rectification is not None and offer.fields is not None:
        _refuse_unknown(body.rectification, offer.fields)
    # The caller's clock may be ahead of ours: nothing was received later than now.
    return min(body.received_at.astimezone(UTC), now) if body.received_at is not None else now


def distinct(subject: SubjectIn) -> tuple[IdentityIn, ...]:
    """Return the identities without those that say the same in another spelling; the first spelling stays."""
    seen = {(one.type, normalise(one.type, one.value)): one for one in reversed(subject.identities)}
    return tuple(one for one in subject.identities if seen[one.type, normalise(one.type, one.value)] is one)


def is_email(text: str) -> bool:
    """Whether `text` is one plain address: no name, no quotes, no list."""
    return len(text) <= _EMAIL_LENGTH and _EMAIL.fullmatch(text) is not None


def _errors(body: RequestIn, now: datetime) -> Iterator[FieldError]:
    for index, one in enumerate(body.subject.identities):
        if detail := _value_error(one.type, one.value):
            yield FieldError(f"/subject/identities/{index}/value", detail)
    contact = body.subject.contact
    if contact is not None and not is_email(contact.email):
        yield FieldError("/subject/contact/email", "This is not an e-mail address.")
    yield from _rectification_errors(body)
    if body.reference is not None and _CONTROL.search(body.reference):
        yield FieldError("/reference", "Control characters are not allowed.")
    if any(_CONTROL.search(key) or _CONTROL.search(value) for key, value in body.metadata.items()):
        yield FieldError("/metadata", "Control characters are not allowed.")
    if body.received_at is not None and (detail := _received_error(body.received_at, now)):
        yield FieldError("/received_at", detail)


def _rectification_errors(body: RequestIn) -> Iterator[FieldError]:
    asked = body.rectification
    if body.right is Right.RECTIFICATION and asked is None:
        yield FieldError("/rectification", "Say what is wrong and what is right.")
    if asked is None:
        return
    if body.right is not Right.RECTIFICATION:
        yield FieldError("/rectification", "This goes with the right rectification alone.")
        return
    seen: set[str] = set()
    for index, one in enumerate(asked.corrections):
        place = f"/rectification/corrections/{index}"
        if one.field in seen:
            yield FieldError(f"{place}/field", "This field is corrected already: each one once.")
        seen.add(one.field)
        yield from _correction_errors(one, place)


def _correction_errors(one: CorrectionIn, place: str) -> Iterator[FieldError]:
    if one.old is not None and _CONTROL.search(one.old):
        yield FieldError(f"{place}/from", "Control characters are not allowed.")
    # As a processor's engine tells it: the last part of a key says what its values are.
    name = one.field.rpartition(".")[2]
    kind = IdentityType(name) if name in _IDENTITY_TYPES else None
    if detail := _value_error(kind, one.new):
        yield FieldError(f"{place}/to", detail)
    elif one.old is not None and _plain(kind, one.old) == _plain(kind, one.new):
        yield FieldError(f"{place}/to", "This is what stands in `from`: there is nothing to correct.")


def _refuse_unknown(asked: RectificationIn, fields: frozenset[str]) -> None:
    """Raise `Unacceptable` when no processor can correct a field that is asked for."""
    errors = tuple(
        FieldError(f"/rectification/corrections/{index}/field", "No processor here can correct this field.")
        for index, one in enumerate(asked.corrections)
        if one.field not in fields
    )
    if errors:
        known = f"Known are: {', '.join(sorted(fields))}." if fields else "None can correct anything."
        raise Unacceptable("field_unknown", f"No processor here knows a field that is to be corrected. {known}", errors)


def _plain(kind: IdentityType | None, value: str) -> str:
    return value if kind is None else normalise(kind, value)


def _value_error(kind: IdentityType | None, value: str) -> str | None:
    if _CONTROL.search(value):
        return "Control characters are not allowed."
    if kind is IdentityType.EMAIL and not is_email(value):
        return "This is not an e-mail address."
    if kind is IdentityType.PHONE and not _PHONE.fullmatch(value):
        return "This is not a phone number in the form of E.164: + and 7 to 15 digits, nothing else."
    return None


def _received_error(received_at: datetime, now: datetime) -> str | None:
    if received_at.tzinfo is None:
        return "A time needs its zone, as in 2026-11-20T09:30:00Z."
    if received_at > now + CLOCKS_DIFFER:
        return "This is in the future."
    if received_at < now - OLDEST:
        return "This is more than a year ago."
    return None
