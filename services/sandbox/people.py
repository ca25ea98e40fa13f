"""Invented people and what vendors hold on them: the same seed gives the same people."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from services.sandbox.stripe.kinds_of_payer import NUMBERED, ORDINARY

_FIRST_NAMES = """
    Anna Bram Carla Daan Elena Femke Gijs Hanna Ivo Jonas Katja Lena Milan Nadia Oskar Pien Quinten Rosa Sven
    Thea Umar Vera Wim Xenia Yara Zoe Aldo Britt Casper Dora Emil Fleur Goran Hilde Ines Joris Klara Lars
    Mona Noor
"""
_LAST_NAMES = """
    Aalbers Berg Cortez Devries Engel Fischer Garcia Holm Ivarsson Jansen Keller Lindt Moreau Novak Olsen
    Peeters Quist Richter Smit Torres Uddin Visser Weber Xander Ykema Zeller Adler Brandt Costa Dubois Evers
    Faber Graaf Hoek Iversen Jonker Kuiper Lorenz Maas Nagel
"""
_DOMAINS = ("example.com", "example.org", "example.net")
_LANGUAGES = ("en", "nl", "de", "fr", "es")
CYCLE = 25
"""Kinds of people repeat after so many."""


@dataclass(frozen=True)
class Activity:
    """A note or ticket on a person's contacts; `shared_with` is the customer id of a second person on it."""

    kind: str
    properties: Mapping[str, str]
    shared_with: str | None = None


@dataclass(frozen=True)
class Stored:
    """An object below the person's prefix: its versions oldest first, and whether a delete marker tops them."""

    name: str
    versions: tuple[bytes, ...]
    deleted: bool = False
    locked: bool = False


@dataclass(frozen=True)
class Person:
    """One person; each contact is a set of CRM properties, and there may be none."""

    customer_id: str
    name: str
    email: str
    phone: str
    language: str
    contacts: tuple[Mapping[str, str], ...] = ()
    activities: tuple[Activity, ...] = ()
    stored: tuple[Stored, ...] = ()
    oddity: str = field(default="")
    payer: str = ""


def invent(count: int, seed: int, locked: int = 0, payer: str | None = None) -> list[Person]:
    """`count` people of a seed; the first `locked` of them hold an object under retention.

    `payer` makes all of them pay in one way (a key of `stripe.kinds_of_payer.PAYERS`).
    Customer ids are not padded, so that one is the beginning of another (`c-1-1`, `c-1-10`).
    """
    dice = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    names = [(first, last) for first in _FIRST_NAMES.split() for last in _LAST_NAMES.split()]
    dice.shuffle(names)
    people: list[Person] = []
    for number in range(count):
        first, last = names[number % len(names)]
        extra = "" if seed == 1 and number < len(names) else f".{seed}-{number}"
        people.append(_person(number, first, last, f"{first}.{last}{extra}".lower(), seed, people))
    people = [person if payer is None else replace(person, payer=payer) for person in people]
    return [_with_lock(person) if number < locked else person for number, person in enumerate(people)]


def _person(number: int, first: str, last: str, mailbox: str, seed: int, earlier: list[Person]) -> Person:
    person = Person(
        customer_id=f"c-{seed}-{number + 1}",
        name=f"{first} {last}",
        email=f"{mailbox}@{_DOMAINS[number % 3]}",
        phone=f"+44 20 7946 0{number % 1000:03d}",  # a range kept free for fiction
        language=_LANGUAGES[number % 5],
        oddity=_ODDITIES.get(number % CYCLE, ""),
        payer=NUMBERED.get(number % CYCLE, ORDINARY),
    )
    neighbour = f"c-{seed}-{number}" if number else None
    return replace(
        person,
        contacts=tuple(_contacts(person, first, last, mailbox, earlier)),
        activities=tuple(_activities(person, neighbour)),
        stored=tuple(_stored(person, number)),
    )


_ODDITIES = {
    1: "shares a note with the one before",
    2: "object with three versions",
    3: "second contact that holds the address as an additional one",
    4: "object under a delete marker",
    5: "no objects",
    7: "address is only an additional one of the contact",
    9: "additional address that contains another person's",
    11: "contact and nothing else",
    13: "shares a ticket with the one before",
    14: "no objects",
    16: "many objects",
    17: "no notes",
    19: "shares a note with the one before",
    22: "not in the CRM",
}


def _contacts(person: Person, first: str, last: str, mailbox: str, earlier: list[Person]) -> Iterator[dict[str, str]]:
    known = {"firstname": first, "lastname": last, "phone": person.phone, "customer_id": person.customer_id}
    main = {**known, "email": person.email, "hs_language": person.language, "lifecyclestage": "customer"}
    match person.oddity:
        case "not in the CRM":
            return
        case "address is only an additional one of the contact":
            yield {**main, "email": f"{mailbox}@old.example.com", "hs_additional_emails": person.email}
        case "second contact that holds the address as an additional one":
            yield main
            yield {**known, "email": f"{mailbox}@work.example.org", "hs_additional_emails": person.email}
        case "additional address that contains another person's":
            # A word search for that person's address finds this contact too.
            yield {**main, "hs_additional_emails": f"{first.lower()}-{earlier[-2].email}"}
        case _:
            yield main


def _activities(person: Person, neighbour: str | None) -> Iterator[Activity]:
    stamp = {"hs_timestamp": "2026-01-15T10:00:00Z"}
    if person.oddity in ("not in the CRM", "contact and nothing else", "no notes"):
        return
    yield Activity("notes", {**stamp, "hs_note_body": f"Called {person.name} about the order."})
    yield Activity("tickets", {"subject": "Parcel is late", "content": "When does it come?", "hs_pipeline": "0"})
    if person.oddity.startswith("shares a note"):
        yield Activity("notes", {**stamp, "hs_note_body": "Both want the same delivery slot."}, neighbour)
    if person.oddity.startswith("shares a ticket"):
        yield Activity("tickets", {"subject": "Joint order", "content": "One invoice, please."}, neighbour)


def _stored(person: Person, number: int) -> Iterator[Stored]:
    profile = f'{{"customer": "{person.customer_id}", "name": "{person.name}", "mail": "{person.email}"}}'.encode()
    match person.oddity:
        case "no objects" | "contact and nothing else":
            return
        case "object with three versions":
            yield Stored("profile.json", (b"{}", b'{"name": "?"}', profile))
        case "object under a delete marker":
            yield Stored("profile.json", (profile, profile), deleted=True)
        case "many objects":
            yield from (Stored(f"log/{day:03d}.txt", (f"{person.name} on day {day}".encode(),)) for day in range(30))
        case _:
            yield Stored("profile.json", (profile,))
    # Letters that need quoting in URLs and XML.
    yield Stored(f"uploads/scan & copy #{number} ü+1.txt", (person.name.encode(),))


def _with_lock(person: Person) -> Person:
    invoice = Stored("invoices/kept.txt", (f"Invoice of {person.name}".encode(),), locked=True)
    return replace(person, stored=(*person.stored, invoice))
