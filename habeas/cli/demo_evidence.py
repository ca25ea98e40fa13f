"""Judges the demo by the vendors' own books, never by what Habeas says of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from habeas.cli.demo_package import Copy
from habeas.cli.sandbox import VENDORS, Effect, Mail, Person, Sandbox


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and whether it is."""

    passed: bool
    what: str


@dataclass(frozen=True, slots=True)
class Books:
    """The vendors' own state at one moment.

    `held`    how many things of each person each vendor holds, by customer id.
    `kept`    how many records of their payments the law keeps, by customer id.
    `phones`  each person's telephone numbers by vendor, by customer id.
    `states`  a digest of all that is held of each person, by customer id.
    `others`  a digest of everything else that they hold.
    `effects` their ledgers so far.
    """

    held: Mapping[str, Mapping[str, int]]
    kept: Mapping[str, int]
    phones: Mapping[str, Mapping[str, Sequence[str]]] = field(repr=False)
    states: Mapping[str, str]
    others: str
    effects: Sequence[Effect]

    @classmethod
    def read(cls, sandbox: Sandbox, people: Sequence[Person]) -> "Books":
        """Ask the vendors about `people`, and about everybody else in one."""
        remains = {one.customer_id: sandbox.remains(one) for one in people}
        states, others = sandbox.digests(people)
        return cls(
            held={one: {vendor: found[vendor] for vendor in VENDORS} for one, found in remains.items()},
            kept={one: found["stripe_kept"] for one, found in remains.items()},
            phones={one.customer_id: sandbox.phones(one) for one in people},
            states=states,
            others=others,
            effects=[effect for vendor in VENDORS for effect in sandbox.effects(vendor)],
        )

    def changes_since(self, before: "Books") -> list[Effect]:
        """Return the calls since `before` that changed something."""
        known = set(before.effects)
        return [effect for effect in self.effects if effect.changed and effect not in known]


def judge_access(person: Person, *, before: Books, after: Books, copy: Copy, others: Sequence[Person]) -> list[Check]:
    """Return the checks of a copy that `person` was to get of everything."""
    here = person.customer_id
    wanted = {vendor for vendor in VENDORS if before.held[here][vendor]}
    strangers = sum(copy.mentions(one.email) for one in others if one.email not in person.email)
    return [
        Check(wanted == set(VENDORS), f"every vendor held something: {_counted(before.held[here])}"),
        Check(copy.whole, f"the package is whole: {copy.members} files, each as its manifest says"),
        Check(copy.processors == len(VENDORS), f"data of {copy.processors} processors is in it"),
        Check(copy.mentions(person.email), "the data in it is this person's"),
        Check(not strangers, "nobody else's address is in it"),
        Check(after.states[here] == before.states[here], "and what the vendors hold is what it was"),
    ]


def judge_rectification(person: Person, phone: str, *, before: Books, after: Books) -> list[Check]:
    """Return the checks of a telephone number that was to be `phone` wherever one is held."""
    here = person.customer_id
    was, now = before.phones[here], after.phones[here]
    places = sorted(vendor for vendor, numbers in was.items() if numbers)
    changes = _changes_of(person, before, after)
    return [
        Check(len(places) > 1, f"the old number was recorded at {', '.join(places)}"),
        Check(_all_new(now, places, phone), "the new one is there now, and the old one nowhere"),
        Check({one.vendor for one in changes} == set(places), f"{len(changes)} changes were made, nowhere else"),
        Check(after.held[here] == before.held[here], "nothing of this person was lost"),
    ]


def judge_erasure(person: Person, *, before: Books, after: Books) -> list[Check]:
    """Return the checks of an erasure: all is gone but what tax law keeps."""
    here = person.customer_id
    kept = before.kept[here]
    vendors = sorted({one.vendor for one in _changes_of(person, before, after)})
    return [
        Check(all(before.held[here].values()), f"before, the vendors held {_counted(before.held[here])}"),
        Check(not any(after.held[here].values()), f"now, they hold {_counted(after.held[here])}"),
        Check(kept > 0 and after.kept[here] == kept, f"but for {kept} records of payments, which tax law keeps"),
        Check(vendors == sorted(VENDORS), f"changes were made at {', '.join(vendors) or 'none'}"),
    ]


def judge_all(changed: Sequence[Person], *, before: Books, after: Books) -> list[Check]:
    """Return the checks of everything that happened: each change once, and to nobody but those in `changed`."""
    changes = after.changes_since(before)
    times = Counter((effect.vendor, effect.effect, effect.target) for effect in changes)
    known = {name for one in changed for name in (one.customer_id, one.email)}
    return [
        Check(set(times.values()) == {1}, f"{len(changes)} changes were made in all, each exactly once"),
        Check({effect.person for effect in changes} <= known, "none of them was made to anybody else's data"),
        Check(before.others == after.others, "everything else that the vendors hold is what it was"),
    ]


def judge_mails(person: Person, mails: Sequence[Mail]) -> Check:
    """Return whether a person was told, and each thing once."""
    once = bool(mails) and max(Counter(mail.subject for mail in mails).values()) == 1
    return Check(once, f"{person.name} got {len(mails)} mails, each once")


def _changes_of(person: Person, before: Books, after: Books) -> list[Effect]:
    names = {person.customer_id, person.email}
    return [effect for effect in after.changes_since(before) if effect.person in names]


def _all_new(now: Mapping[str, Sequence[str]], places: Sequence[str], phone: str) -> bool:
    return all(set(now[vendor]) == {phone} for vendor in places)


def _counted(held: Mapping[str, int]) -> str:
    return ", ".join(f"{count} things at {vendor}" for vendor, count in sorted(held.items()))
