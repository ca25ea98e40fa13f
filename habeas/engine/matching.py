"""Tells whether an item is the subject's: identities compared after normalising by type."""

from collections.abc import Callable, Iterable
from typing import Protocol

from habeas.sdk import Identity, IdentityType

_PHONE_ORNAMENT = str.maketrans("", "", " \t-()./\u00a0")


def normalised(identity: Identity) -> Identity:
    """Return `identity` in the form in which two spellings of one identifier are equal.

    An e-mail is compared without regard to case, a phone number without its ornament (`00` stands for `+`), a user
    name without case; ids of customers, cookies and devices are compared as they are.
    """
    value = identity.value.strip()
    match identity.type:
        case IdentityType.EMAIL | IdentityType.USERNAME:
            value = value.casefold()
        case IdentityType.PHONE:
            value = value.translate(_PHONE_ORNAMENT)
            value = f"+{value[2:]}" if value.startswith("00") else value
        case _:
            pass
    return Identity(identity.type, value)


class Owner(Protocol):
    """Whoever an item must belong to before it is touched."""

    @property
    def owns(self) -> Callable[[Identity], bool]:
        """Tells whether an item that is matched by an identity is theirs."""


class Subject:
    """The identities that an item's `matched` must be among."""

    def __init__(self, identities: Iterable[Identity]) -> None:
        """Take the task's identities."""
        self._known = frozenset(normalised(identity) for identity in identities)

    def owns(self, matched: Identity) -> bool:
        """Whether an item that was matched by this identity is the subject's; an empty value never is."""
        found = normalised(matched)
        return bool(found.value) and found in self._known
