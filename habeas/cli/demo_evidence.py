"""Judges the demo by the vendors' own books, never by what Habeas says of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from habeas.cli.sandbox import VENDORS, Effect, Mail, Person, Sandbox


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and whether it is."""

    passed: bool
    what: str


@dataclass(frozen=True, slots=True)
class Books:
    """The vendors' own state at one moment.

    `held`    how many things of the person each vendor holds.
    `others`  a digest over everything else that they hold.
    `effects` their ledgers so far.
    """

    held: Mapping[str, int]
    others: str
    effects: Sequence[Effect]

    @classmethod
    def read(cls, sandbox: Sandbox, person: Person) -> "Books":
        """Ask the vendors."""
        effects = [effect for vendor in VENDORS for effect in sandbox.effects(vendor)]
        return cls(sandbox.remains(person), sandbox.digest_without(person), effects)


def judge(person: Person, *, before: Books, after: Books, mails: Sequence[Mail]) -> list[Check]:
    """Return the checks of one erasure that took place between two readings of the books."""
    known = set(before.effects)
    changes = [effect for effect in after.effects if effect.changed and effect not in known]
    times = Counter((effect.vendor, effect.effect, effect.target) for effect in changes)
    vendors = {effect.vendor for effect in changes}
    return [
        Check(all(before.held[vendor] > 0 for vendor in VENDORS), f"before, the vendors held {_counted(before)}"),
        Check(not any(after.held.values()), f"now, they hold {_counted(after)}"),
        Check(vendors == set(VENDORS), f"{len(changes)} changes were made, at {', '.join(sorted(vendors)) or 'none'}"),
        Check(set(times.values()) == {1}, "each of them was made exactly once"),
        Check(_only_of(person, changes), "none of them was made to anybody else's data"),
        Check(before.others == after.others, "everything else that the vendors hold is what it was"),
        Check(_once_each(mails), f"the person got {len(mails)} mails, each once"),
    ]


def _counted(books: Books) -> str:
    return ", ".join(f"{count} things at {vendor}" for vendor, count in sorted(books.held.items()))


def _only_of(person: Person, changes: Sequence[Effect]) -> bool:
    return {effect.person for effect in changes} <= {person.customer_id, person.email}


def _once_each(mails: Sequence[Mail]) -> bool:
    return bool(mails) and max(Counter(mail.subject for mail in mails).values()) == 1
