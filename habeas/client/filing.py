"""A request to file, written the way a caller thinks of it and turned into the API's body here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


class Identity(NamedTuple):
    """One identifier of the subject: a type (`email`, `phone`, `customer_id`, `cookie_id`, ...) and its value."""

    type: str
    value: str

    def __repr__(self) -> str:
        """Show the type alone."""
        return f"Identity(type={self.type!r})"


class Correction(NamedTuple):
    """Replace `old` by `new` in `field`, a key of the data register such as `contact.email`.

    Without `old`, whatever stands there is replaced.
    """

    field: str
    new: str
    old: str | None = None

    def __repr__(self) -> str:
        """Show the field alone."""
        return f"Correction(field={self.field!r})"


@dataclass(frozen=True, slots=True)
class NewRequest:
    """One subject, one right.

    `right`        one of `habeas.vocabulary.Right`, or the same word as text.
    `identities`   `{"email": "jane@example.com"}`, or a sequence of `Identity` when one type has several values.
    `contact`      e-mail address for notices; nothing is searched by it. None: the person gets no mail.
    `corrections`  of a rectification: `{"contact.phone": "+31201234567"}`, or a sequence of `Correction` to name old
                   values too.
    `received_at`  when the person asked (with a zone); the legal clock runs from here. None: now.
    `reference`    your own; encrypted at the server and given back as it was.

    What is wrong with a field is said by the server, with a pointer to it (`HabeasProblem.errors`). The repr shows no
    personal data.

    >>> NewRequest("erasure", {"email": "jane@example.com"}, contact="jane@example.com", language="nl").right
    'erasure'
    """

    right: str
    identities: Mapping[str, str] | Sequence[Identity] = field(repr=False)
    contact: str | None = field(default=None, repr=False)
    language: str | None = None
    country: str | None = None
    relation: str = "self"
    identity_check: str = "client_asserted"
    received_at: datetime | None = None
    reference: str | None = field(default=None, repr=False)
    case: str | None = None
    channel: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    corrections: Mapping[str, str] | Sequence[Correction] = field(default=(), repr=False)

    def body(self) -> dict[str, Any]:
        """Return the JSON body of `POST /v1/requests`; what was not given is left to the server's defaults."""
        subject = {
            "identities": [{"type": str(type_), "value": value} for type_, value in self._pairs()],
            "contact": {"email": self.contact} if self.contact else None,
            "language": self.language,
            "country": self.country,
        }
        body = {
            "right": str(self.right),
            "subject": _given(subject),
            "requester": {"relation": str(self.relation)},
            "identity_check": {"method": str(self.identity_check)},
            "received_at": self.received_at.isoformat() if self.received_at else None,
            "reference": self.reference,
            "case": self.case,
            "channel": self.channel,
            "metadata": dict(self.metadata) or None,
            "rectification": {"corrections": self._corrections()} if self.corrections else None,
        }
        return _given(body)

    def _corrections(self) -> list[dict[str, str]]:
        given = self.corrections
        listed = [Correction(*pair) for pair in given.items()] if isinstance(given, Mapping) else given
        return [_given({"field": one.field, "from": one.old, "to": one.new}) for one in listed]

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = self.identities.items() if isinstance(self.identities, Mapping) else self.identities
        return [(type_, value) for type_, value in pairs]


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
