"""What is asked of the sandbox: people to invent, and what its vendors' own books say."""

from collections.abc import Sequence
from itertools import pairwise
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from habeas.cli.mistakes import Mistake
from habeas.client.transport import DIRECT

M = TypeVar("M", bound=BaseModel)
VENDORS = ("hubspot", "openai", "s3", "stripe")
PEOPLE = 25
SEED = 1


class Person(BaseModel):
    """An invented person whose data lies at the vendors; `oddity` and `payer` say what is unusual, if anything."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    email: str = Field(repr=False)
    customer_id: str = Field(repr=False)
    name: str = Field(repr=False)
    phone: str = Field(default="", repr=False)
    language: str = "en"
    oddity: str = ""
    payer: str = ""


class Effect(BaseModel):
    """A line of a vendor's ledger: one call that aimed at its state, and whether it changed it."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    seq: int
    vendor: str
    effect: str
    target: str = Field(repr=False)
    person: str | None = Field(default=None, repr=False)
    changed: bool = True


class Mail(BaseModel):
    """A mail that reached the sink."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    to: str = Field(repr=False)
    subject: str
    text: str = Field(repr=False)
    message_id: str | None = None


class Sandbox:
    """The control API below `/_sandbox`; `url` is the sandbox's address."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/_sandbox/", timeout=60.0, mounts=DIRECT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def populate(self, count: int, *, seed: int) -> list[Person]:
        """Invent `count` people and spread their data over the vendors; the same `seed` gives the same people."""
        answer = self._call("POST", "people", json={"count": count, "seed": seed})
        return _read(Person, answer["people"])

    def populate_once(self, count: int, *, seed: int) -> list[Person]:
        """Return who lives there already; invent people as `populate` does where nobody does."""
        return _read(Person, self._call("GET", "people")["people"]) or self.populate(count, seed=seed)

    def remains(self, person: Person) -> dict[str, int]:
        """Return how many things of a person each vendor still holds, by the vendor's own state.

        `stripe_kept` counts the records of payments that the law keeps; they are not among `stripe`.
        """
        answer = self._call("GET", f"people/{person.customer_id}/remains")
        return {name: int(answer[name]) for name in (*VENDORS, "stripe_kept")}

    def phones(self, person: Person) -> dict[str, list[str]]:
        """Return the telephone numbers that vendors have for a person, by vendor."""
        answer = self._call("GET", f"people/{person.customer_id}/phones")
        return {vendor: [str(number) for number in numbers] for vendor, numbers in answer.items()}

    def digests(self, people: Sequence[Person]) -> tuple[dict[str, str], str]:
        """Return a digest of what is held of each of `people`, by customer id, and one of everything else."""
        ids = [one.customer_id for one in people]
        answer = self._call("GET", "state/digest", params={"except": ",".join(ids)})
        return {one: str(answer["people"][one]) for one in ids}, str(answer["digest"])

    def effects(self, vendor: str) -> list[Effect]:
        """Return a vendor's ledger, oldest first."""
        return _read(Effect, self._call("GET", f"ledger/{vendor}")["effects"])

    def mails(self, to: str) -> list[Mail]:
        """Return the mails that an address got."""
        return _read(Mail, self._call("GET", "mails", params={"to": to})["mails"])

    def _call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **how)
            response.raise_for_status()
            found = response.json()
        except (httpx.HTTPError, ValueError) as error:
            # The address may name a person: only the kind of failure is told.
            msg = f"the sandbox did not answer as expected ({type(error).__name__})"
            raise Mistake(msg) from None
        return found if isinstance(found, dict) else {}


def plain(people: Sequence[Person]) -> list[Person]:
    """Return those with nothing unusual about them, who share nothing with the next one.

    A note that two people share changes, rightly, when one of them goes; it would blur "the rest is what it was".
    """
    return [
        person
        for person, follower in pairwise(people)
        if not person.oddity and not person.payer and "shares" not in follower.oddity
    ]


def _read(model: type[M], items: Any) -> list[M]:
    try:
        return [model.model_validate(item) for item in items]
    except ValidationError:
        msg = f"the sandbox answered something that is not a list of {model.__name__}"
        raise Mistake(msg) from None
