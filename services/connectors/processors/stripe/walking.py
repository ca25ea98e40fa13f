"""Reads whole lists of an account for what names the subject: only rows that may do so are looked into."""

from collections.abc import Sequence

from habeas.sdk import Identity
from services.connectors.processors.stripe.shapes import Thing, named_in, shaped
from services.connectors.processors.stripe.vendor import Api, path_of
from services.connectors.processors.stripe.whose import NOBODY, Owners


class Walk:
    """Reads the lists of one account, 100 objects a call."""

    def __init__(self, api: Api, owners: Owners, identities: Sequence[Identity]) -> None:
        """Take the calls, what tells owners, and what the subject is known by."""
        self._api, self._owners, self._identities = api, owners, identities
        self._values = frozenset(one.value.strip().casefold() for one in identities)

    async def through(self, path: str) -> list[tuple[Thing, Identity]]:
        """Return what a list holds that names the subject, and by which identity it does."""
        found = []
        async for rows in self._api.pages(path_of(path)):
            for thing in [shaped(Thing, row) for row in rows if self._may_be(row)]:
                matched = self._owners.matched(self._identities, thing)
                if matched is not NOBODY:
                    found.append((thing, matched))
        return found

    def _may_be(self, row: dict[str, object]) -> bool:
        """Whether a row names a value of the subject's, compared loosely, or what no person can be named by."""
        for value in named_in(row, self._owners.key):
            if value is not None and (not isinstance(value, str) or value.strip().casefold() in self._values):
                return True
        return False
