"""The whole of Habeas on one machine with its sandbox vendors, and the vendors' own books to judge it by."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import httpx

from habeas.client import Habeas, NewRequest, Request
from habeas.local.stack import Stack
from tests.journeys.given_servers import room

VENDORS = ("hubspot", "openai", "s3", "stripe")
NOTICES = {"acknowledgement", "completion"}
SENDER_LEASE = 6.0  # seconds until a killed notifier's mails are taken over; longer than a busy one stands still


@dataclass(frozen=True, slots=True)
class Person:
    """One of the sandbox's invented people."""

    email: str
    customer_id: str
    phone: str = ""


class World:
    """A running stack: file erasures, disturb it, and compare with the sandbox's ledgers."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.habeas = Habeas(stack.url, key=stack.key, timeout=60)
        self._sandbox = httpx.Client(base_url=f"{stack.sandbox_url}/_sandbox/", timeout=60, trust_env=False)
        self._seed = 0
        self._filed: dict[str, set[str]] = {}  # requests by the address that their notices go to
        self._told: dict[str, list[str]] = {}  # subjects of the mails that were counted, by address

    def close(self) -> None:
        self.habeas.close()
        self._sandbox.close()

    def people(self, count: int) -> list[Person]:
        """Invent people who have data at every vendor and nothing unusual about them."""
        found: list[Person] = []
        while len(found) < count:
            self._seed += 1
            answer = self._ask("POST", "people", json={"count": count + 10, "seed": self._seed})
            found += [
                Person(one["email"], one["customer_id"], one["phone"])
                for one in answer["people"]
                if not one["oddity"] and not one["payer"] and one["contact_ids"] and one["objects"]
            ]
        return found[:count]

    def knobs(self, vendor: str, **knobs: Any) -> None:
        """Make a vendor slow, strict, broken or a liar."""
        self._ask("PUT", f"knobs/{vendor}", json=knobs)

    def faults(self, vendor: str) -> Counter[str]:
        """Return how many calls each fault befell at a vendor since the sandbox was started, by its own count."""
        return Counter(self._ask("GET", f"knobs/{vendor}")["happened"])

    @contextmanager
    def served_anew(self, processor: str) -> Iterator[None]:
        """Change what a processor is told within; return once the host has taken it up."""
        before = self._times_served(processor)
        yield
        wait_for(lambda: self._times_served(processor) > before, within=180)

    def _times_served(self, processor: str) -> int:
        lines = self.stack.home.log("connectors").read_text().splitlines()
        return sum('"processor.served"' in line and f'"{processor}"' in line for line in lines)

    def empty(self) -> None:
        """Let the vendors forget everybody, and put their ledgers aside: a test starts with empty books."""
        self._ask("POST", "reset")

    def calm(self) -> None:
        """Let every vendor behave."""
        self._ask("DELETE", "knobs")

    def erase(self, people: Sequence[Person], *, key: str | None = None) -> list[str]:
        """File an erasure for each person, known by e-mail alone; return the ids of the requests."""
        return self.file([wish("erasure", one) for one in people], key=key)

    def file(self, wishes: Sequence[NewRequest], *, key: str | None = None) -> list[str]:
        """File everything in one batch; return the ids of the requests."""
        filed = self.habeas.requests.file_many(wishes, idempotency_key=key)
        assert [one.error for one in filed.results if one.status != 201] == []
        requests = [one.request.id for one in filed.results if one.request is not None]
        for one, request in zip(wishes, requests, strict=True):
            self._filed.setdefault(one.contact or "", set()).add(request)
        return requests

    def settled(self, request: str) -> int:
        """Return how many tasks of a request are over."""
        counts = self.habeas.requests.get(request).task_counts
        return counts.settled if counts else 0

    def completed(self, requests: Sequence[str]) -> int:
        """Return how many of `requests` are completed."""
        wanted = set(requests)
        since = datetime.now(UTC) - timedelta(minutes=10)
        done = self.habeas.requests.list(state="completed", created_after=since, limit=100)
        return sum(one.id in wanted for one in done)

    def wait(self, requests: Sequence[str], *, within: float = 180.0) -> list[Request]:
        """Wait until all are completed; return them."""
        wait_for(lambda: self.completed(requests) == len(requests), within=within)
        return self._read(requests)

    def _read(self, requests: Sequence[str]) -> list[Request]:
        return [self.habeas.requests.get(one) for one in requests]

    def remains(self, person: Person) -> int:
        """Return how many things of a person the vendors hold, by their own state."""
        answer = self._ask("GET", f"people/{person.customer_id}/remains")
        return sum(int(answer[vendor]) for vendor in VENDORS)

    def kept(self, person: Person) -> int:
        """Return how many records of a person's payments remain that the law keeps."""
        return int(self._ask("GET", f"people/{person.customer_id}/remains")["stripe_kept"])

    def phones(self, person: Person) -> set[str]:
        """Return the telephone numbers that vendors have for a person."""
        answer = self._ask("GET", f"people/{person.customer_id}/phones")
        return {number for numbers in answer.values() for number in numbers}

    def states(self, people: Sequence[Person]) -> list[str]:
        """Return a digest of all that the vendors hold of each person."""
        found = self._ask("GET", "state/digest")["people"]
        return [found[one.customer_id] for one in people]

    def effects(self, people: Sequence[Person]) -> Counter[tuple[str, str, str]]:
        """Return how often each thing of `people` was changed, by the vendors' own ledgers."""
        names = {name for one in people for name in (one.email, one.customer_id)}
        return Counter(
            (vendor, one["effect"], str(one["target"]))
            for vendor in VENDORS
            for one in self._ask("GET", f"ledger/{vendor}")["effects"]
            if one["changed"] and one["person"] in names
        )

    def mails(self, people: Sequence[Person]) -> dict[str, list[str]]:
        """Return the subjects of the mails that each person got, by address."""
        found: dict[str, list[str]] = {one.email: [] for one in people}
        for mail in self._ask("GET", "mails")["mails"]:
            if mail["to"] in found:
                found[mail["to"]].append(mail["subject"])
        return found

    def letters(self, person: Person) -> list[str]:
        """Return the plain text of the mails that a person got, the oldest first."""
        return [mail["text"] for mail in self._ask("GET", "mails", params={"to": person.email})["mails"]]

    def erased_once(self, people: Sequence[Person]) -> None:
        """Assert, from the vendors' books alone, that everything of `people` is gone and was erased exactly once."""
        assert [self.remains(one) for one in people] == [0] * len(people)
        effects = self.effects(people)
        assert effects, "nothing was done at all"
        assert {what: times for what, times in effects.items() if times != 1} == {}

    def told_once(self, people: Sequence[Person], *, surely: bool = True) -> None:
        """Wait until each notice to `people` has its end, and assert that nobody got a mail twice.

        An end is final: behind it no second mail can come, as `nobody_is_told_again` looks up at the very end. `surely`
        also asserts that everybody got every mail; it is not where a notifier died, perhaps with some in hand.
        """
        filed = {one.email: self._filed[one.email] for one in people}
        wait_for(lambda: all(self._ends(one).keys() == NOTICES for each in filed.values() for one in each), within=180)
        for address, subjects in self.mails(people).items():
            ends = [how for one in filed[address] for how in self._ends(one).values()]
            assert len(subjects) == len(set(subjects))
            assert ends.count("notice.sent") <= len(subjects)
            assert not surely or len(subjects) == len(ends)
            self._told[address] = sorted(subjects)

    def _ends(self, request: str) -> dict[str, str]:
        """Return how each kind of notice about a request ended: sent, or held because nobody knows."""
        ends = {"notice.sent", "notice.unknown"}
        return {one.detail["kind"]: one.type for one in self.habeas.requests.timeline(request) if one.type in ends}

    def nobody_is_told_again(self) -> None:
        """Assert that no mail came to anybody after theirs were counted, from all that the mail server ever took."""
        parse = BytesHeaderParser(policy=policy.default).parsebytes
        came: dict[str, list[str]] = {address: [] for address in self._told}
        for path in (self.stack.home.sandbox / "mail").glob("*.eml"):
            mail = parse(path.read_bytes())
            if mail["To"] in came:
                came[mail["To"]].append(str(mail["Subject"]))
        assert {address: sorted(subjects) for address, subjects in came.items()} == self._told

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        answer = self._sandbox.request(method, path, **how)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found


def wish(right: str, person: Person, **more: Any) -> NewRequest:
    """Return a request of a person who is known by e-mail alone."""
    return NewRequest(right, {"email": person.email}, contact=person.email, **more)


@contextmanager
def world(home: Path, **environment: str) -> Iterator[World]:
    """Bring a stack up in `home`, with `environment` for all services, and take it down again."""
    told = {
        "HABEAS_ENVIRONMENT": "test",
        "HABEAS_LEASE_SECONDS": "6",  # what a killed host's tasks wait for before another takes them over
        "HABEAS_SENDER_LEASE": str(SENDER_LEASE),
        **environment,
    }
    with room() as own, Stack(home, extra={**told, **own}) as stack:
        one = World(stack)
        try:
            yield one
            one.nobody_is_told_again()
        finally:
            one.close()


def wait_for(condition: Callable[[], bool], *, within: float) -> None:
    """Return once `condition` holds; fail when it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within} s in vain")
        time.sleep(0.1)
