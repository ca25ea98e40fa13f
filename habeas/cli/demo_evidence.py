"""Judges the demo by the vendors' own books, never by what Habeas says of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from habeas.cli.sandbox import VENDORS, Effect, Mail, Person, Sandbox

Holdings = Mapping[str, Mapping[str, int]]
"""What each vendor holds of each person: customer id -> vendor -> number of things."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and whether it is."""

    passed: bool
    what: str


def holdings(sandbox: Sandbox, people: Sequence[Person]) -> Holdings:
    """Ask the vendors what they hold of everybody."""
    return {person.customer_id: sandbox.remains(person) for person in people}


def judge(
    person: Person, *, before: Holdings, after: Holdings, effects: Sequence[Effect], mails: Sequence[Mail]
) -> list[Check]:
    """Return the checks of one erasure.

    `before`, `after`  what the vendors held of everybody; `effects` the ledgers of all vendors, from between the two.
    """
    had, has = before[person.customer_id], after[person.customer_id]
    changes = [effect for effect in effects if effect.changed]
    times = Counter((effect.vendor, effect.effect, effect.target) for effect in changes)
    vendors = {effect.vendor for effect in changes}
    return [
        Check(all(had[vendor] > 0 for vendor in VENDORS), f"before, the person's data lay at {_counted(had)}"),
        Check(not any(has.values()), f"now, the vendors hold {_counted(has)} of it"),
        Check(vendors == set(VENDORS), f"{len(changes)} things were erased, at {', '.join(sorted(vendors)) or 'none'}"),
        Check(set(times.values()) == {1}, "each thing was erased exactly once, by the vendors' ledgers"),
        Check(_only_of(person, changes), "no call changed anything of anybody else"),
        Check(_others(person, before) == _others(person, after), f"{len(before) - 1} other people have what they had"),
        Check(_once_each(mails), f"the person got {len(mails)} mails, each once"),
    ]


def _counted(held: Mapping[str, int]) -> str:
    return ", ".join(f"{vendor} {count}" for vendor, count in sorted(held.items()))


def _only_of(person: Person, changes: Sequence[Effect]) -> bool:
    return {effect.person for effect in changes} <= {person.customer_id, person.email}


def _others(person: Person, held: Holdings) -> Holdings:
    return {customer: things for customer, things in held.items() if customer != person.customer_id}


def _once_each(mails: Sequence[Mail]) -> bool:
    return bool(mails) and max(Counter(mail.subject for mail in mails).values()) == 1
