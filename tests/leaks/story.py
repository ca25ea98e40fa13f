"""A day on which much goes wrong: erasures of planted people through a whole stack that tells all it can."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from aiokafka import AIOKafkaProducer

from contracts.topics import DELIVERIES, NOTICES, PROCESSORS, REPORTS, TASKS
from habeas.client import Identity, NewRequest, Task
from tests.infrastructure import in_thread
from tests.journeys.world import World, wait_for
from tests.leaks.collector import Collector
from tests.leaks.places import Thing, metrics, processes, tables, topics
from tests.leaks.planting import Planted, Planting, Vendors, hostile_records, misuse
from tests.leaks.scanner import Hit, Scanner
from tests.plain import HTTP

PHONE = "contact.phone"
SERVICES = ("orchestrator", "connectors", "notifier")
READ = (REPORTS, DELIVERIES, PROCESSORS, NOTICES, TASKS)


class Story:
    """What happens, and what was found where. `hits` and `seen` (things looked at) are kept by kind of place."""

    def __init__(self, world: World, spans: Collector) -> None:
        self.world = world
        self.spans = spans
        self.planting = Planting()
        self.hits: dict[str, set[Hit]] = {}
        self.seen: dict[str, int] = {}
        self.filled: set[str] = set()  # columns that held something
        self.ciphertexts: set[str] = set()  # columns that held a seal
        self.exports: list[Path] = []  # objects that hold a copy
        self.pages: list[Thing] = []  # of metrics, as they were each time
        self._vendors = Vendors(
            sandbox=world.stack.sandbox_url, s3=f"http://127.0.0.1:{world.stack.ports['sandbox-s3']}"
        )

    @property
    def scanner(self) -> Scanner:
        """Finds whatever was planted."""
        return Scanner(self.planting.words)

    def live(self) -> None:
        """Let the day pass; look when copies were made, while work is stuck, and when all of it is done."""
        self._copies_and_corrections()
        people = [*(self.planting.person() for _ in range(8)), self._known_to_all]
        doubtful, stranger, mixed = people[:3]
        for person in people:
            if person not in (stranger, self._known_to_all):
                self._vendors.take(person)
        people[2] = mixed = replace(mixed, customer_id=self.planting.person().customer_id)
        self._trouble(doubtful)
        requests = self._file(people)
        statuses = misuse(self.world.stack.url, self.world.stack.key, people[4])
        assert all(400 <= status < 500 for status in statuses), statuses
        self._knock_at_the_other_doors(people[5])
        self._send_hostile_records()
        self._database_dies()
        stuck = [one for one, person in zip(requests, people, strict=True) if person not in (stranger, mixed)]
        wait_for(lambda: all(self._is_stuck(one) for one in stuck), within=180)
        self.look()
        self.world.calm()
        called_off = requests.pop(people.index(mixed))
        self.world.habeas.requests.cancel(called_off)
        self.world.wait(requests)
        assert sum(self._vendors.left(person) for person in people if person is not mixed) == 0
        wait_for(lambda: self._told(requests), within=180)
        wait_for(lambda: all(self.spans.heard_of(f"habeas-{name}") for name in SERVICES), within=180)
        self.look()

    def _copies_and_corrections(self) -> None:
        """Export one person and correct another: what was exported stays where exports lie, and was really theirs."""
        self._known_to_all = self._known_to_the_ai_supplier_too()
        seeing, corrected = self.planting.person(), self.planting.person()
        for person in (seeing, corrected):
            self._vendors.take(person)
        number = f"{self.planting.words['corrected number']}1"
        wishes = [_wish("access", one) for one in (seeing, self._known_to_all)]
        wishes.append(replace(_wish("rectification", corrected), corrections={PHONE: number}))
        filed = self.world.file(wishes)
        self.world.wait(filed)
        with zipfile.ZipFile(BytesIO(b"".join(self.world.habeas.requests.package(filed[0])))) as package:
            assert seeing.first_name in package.read("crm-eu/contact.json").decode()
        self.exports = [path for path in (self.world.stack.home.path / "exports").rglob("*") if path.is_file()]
        self.look()

    def _known_to_the_ai_supplier_too(self) -> Planted:
        """Return one whom the sandbox invented, at all four vendors; the supplier's ids are looked for as well."""
        (one,) = self.world.people(1)
        listed = map(json.loads, self.world.stack.home.ids_file.read_text().splitlines())
        ids = [line["id"] for line in listed if line["subject"] == one.customer_id]
        assert ids
        words = self.planting.words
        words |= {"invented address": one.email, "invented number": one.phone}
        words |= {f"id at the AI supplier ({place})": found for place, found in enumerate(ids)}
        return Planted(one.email, one.customer_id, "", one.email, f"{words['reference']}/0", file="")

    def close(self) -> None:
        """Let the connections to the vendors go."""
        self._vendors.close()

    def look(self) -> None:
        """Look through everything that can be asked while the stack runs."""
        stack = self.world.stack
        held = in_thread(lambda: tables(stack.postgres_url))
        self.filled |= {place for place, _ in held}
        self.ciphertexts |= {place for place, data in held if data.startswith(b"eyJ") and data.count(b".") == 4}
        self._keep("tables", held)
        self._keep("topics", in_thread(lambda: topics(stack.kafka_bootstrap)), hostile=True)
        self._keep("processes", processes([child.pid for child in stack.supervisor.children]))
        pages = metrics([stack.services[name].url for name in SERVICES])
        self.pages += pages
        self._keep("metrics", pages)
        self._keep("spans", [("a span", body) for body in self.spans.bodies])

    def _keep(self, kind: str, things: list[Thing], *, hostile: bool = False) -> None:
        """Scan `things`; what the hostile records carried is allowed where they themselves are."""
        words: Mapping[str, str] = self.planting.words
        if hostile:
            words = {what: word for what, word in words.items() if what != "hostile record"}
        self.hits.setdefault(kind, set()).update(Scanner(words).in_all(things))
        self.seen[kind] = self.seen.get(kind, 0) + len(things)

    def files(self) -> set[Hit]:
        """Look through every file of the stack but the vendors' own; servers' data as it lies on the disk."""
        home = self.world.stack.home.path
        in_kafka = home / "kafka" / "data"
        words = {what: word for what, word in self.planting.words.items() if what != "hostile record"}
        found = Scanner(words).in_folder(in_kafka) if in_kafka.exists() else set()
        return found | self.scanner.in_folder(home, but=[self.world.stack.home.sandbox, in_kafka])

    def checkpoint(self) -> None:
        """Have PostgreSQL write all that it holds in memory to its files."""
        if self.world.stack.postgres is not None:
            self.world.stack.postgres.execute("CHECKPOINT")

    def _trouble(self, doubtful: Planted) -> None:
        """Let one vendor break now and then, another do all but the last step, and the mail server lose its replies."""
        self.world.knobs("s3", rate_limit={"rate": 0.3, "seconds": 1}, fail_5xx=0.2, drop_reply=0.2, times=8)
        self.world.knobs("hubspot", rate_limit={"rate": 1, "seconds": 2}, only="gdpr-delete")
        self.world.knobs("smtp", drop_reply=1, only=doubtful.email)

    def _is_stuck(self, request: str) -> bool:
        """Whether a vendor puts a request off, with everything that was found still there."""
        return any(task.phase == "retrying" and task.action == "erase" for task in self._tasks(request))

    def _tasks(self, request: str) -> list[Task]:
        return list(self.world.habeas.requests.tasks(request))

    def _file(self, people: list[Planted]) -> list[str]:
        new = [_wish("erasure", person) for person in people]
        first = self.world.habeas.requests.file(new[0])
        rest = self.world.habeas.requests.file_many(new[1:])
        return [first.id, *(one.request.id for one in rest.results if one.request is not None)]

    def _told(self, requests: list[str]) -> bool:
        """Whether every notice has an end, sent or unknown."""
        ends = {"notice.sent", "notice.unknown"}
        timelines = [self.world.habeas.requests.timeline(one) for one in requests]
        return all(len({one.detail["kind"] for one in entries if one.type in ends}) == 2 for entries in timelines)

    def _knock_at_the_other_doors(self, person: Planted) -> None:
        for name in ("connectors", "notifier"):
            for path in (
                f"/{person.email}",
                f"/metrics/{person.email}?{person.phone}",
                f"/healthz/{person.customer_id}",
            ):
                assert HTTP.get(f"{self.world.stack.services[name].url}{path}").status_code == 404

    def _send_hostile_records(self) -> None:
        async def send() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self.world.stack.kafka_bootstrap)
            await producer.start()
            try:
                for topic in READ:
                    name = topic.named(self.world.stack.namespace, "files")
                    for key, value, headers in hostile_records(self.planting.words["hostile record"]):
                        if key is not None or topic is not PROCESSORS:  # a compacted one takes no record without a key
                            await producer.send_and_wait(name, value, key=key, headers=list(headers))
            finally:
                await producer.stop()

        in_thread(send)

    def _database_dies(self) -> None:
        server = self.world.stack.postgres
        if server is not None:
            server.kill()
            server.start()


def _wish(right: str, person: Planted) -> NewRequest:
    known = [Identity(*one) for one in person.identities()]
    return NewRequest(right, known, contact=person.email, reference=person.reference)
