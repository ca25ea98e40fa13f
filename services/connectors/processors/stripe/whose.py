"""Whose an object is: what it says itself, and what the customer says that it hangs on."""

from collections.abc import Sequence

from habeas.sdk import Identity, IdentityType, Item
from services.connectors.processors.stripe.refs import ref_of
from services.connectors.processors.stripe.shapes import Thing

NOBODY = Identity(IdentityType.EMAIL, "")  # what an object is matched by that is not the subject's


class Owners:
    """Reads identities out of objects; `key` names the entry of a customer's metadata that holds your customer id."""

    def __init__(self, key: str) -> None:
        """Take the name of the metadata entry."""
        self.key = key

    def named(self, thing: Thing | None) -> list[Identity]:
        """Return the identities that an object names: its addresses, and the customer id in its metadata."""
        if thing is None or thing.deleted:
            return []
        customer_id = ((thing.metadata or {}).get(self.key) or "").strip()
        identities = [Identity(IdentityType.EMAIL, email) for email in thing.emails()]
        return identities + ([Identity(IdentityType.CUSTOMER_ID, customer_id)] if customer_id else [])

    def matched(self, identities: Sequence[Identity], *things: Thing | None) -> Identity:
        """Return the one of `identities` that the first of `things` to name any of them names, or `NOBODY`.

        An address goes before a customer id, for records of payments name nothing else: by an address they can still
        be told to be somebody's when the customer is gone.
        """
        identities = sorted(identities, key=lambda one: one.type is not IdentityType.EMAIL)
        for thing in things:
            named = set(self.named(thing))
            for identity in identities:
                if plain(identity) in named:
                    return identity
        return NOBODY

    def now(self, item: Item, thing: Thing, holder: Thing | None, beside: Thing | None = None) -> Identity:
        """Return whose `item` is now, by an identity of the type by which it was found.

        What it was found by, if object, what stands `beside` it, or customer still names that; else what they name
        instead. A record of a customer that was deleted may name nobody: its link to that customer can not change any
        more, so it is still the one's whose that customer was.
        """
        telling = (thing, beside, holder)
        named = [one for told in telling for one in self.named(told) if one.type is item.matched.type]
        linked = holder is not None and holder.deleted and ref_of(item).customer == thing.customer
        if plain(item.matched) in named or (linked and item.matched.value):
            return item.matched
        return named[0] if named else Identity(item.matched.type, "")


def plain(identity: Identity) -> Identity:
    """Return an identity in the form in which two spellings of it are equal."""
    value = identity.value.strip()
    return Identity(identity.type, value.casefold() if identity.type is IdentityType.EMAIL else value)
