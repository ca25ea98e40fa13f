"""For each topic that is read: genuine messages as their rightful sender makes them, and how one knows they arrived."""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from contracts import ids
from contracts.message import Message
from contracts.notices import NoticeDue, NoticeSent
from contracts.outcomes import Outcome
from contracts.processors import ProcessorAnnounced, WireManifest
from contracts.reports import TaskSettled
from contracts.seal import SealedIdentity, SealedNotice, SealedSubject
from contracts.tasks import TaskDispatched
from contracts.topics import DELIVERIES, NOTICES, PROCESSORS, REPORTS, TASKS, Topic
from habeas.vocabulary import Action, Headline, IdentityType, Language, NoticeKind, Right
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal
from services.chassis.kafka.composer import Composer
from tests.infrastructure import in_thread
from tests.journeys.broker import Broker, Record
from tests.journeys.hostile import Keys
from tests.journeys.world import Person, World, wait_for


class Scene:
    """One topic and its reader: `service` keeps the dead letters of `consumer`."""

    service: str
    consumer: str
    topic: Topic
    knows_all = True  # whether the reader has the keys of every processor

    def __init__(self, world: World) -> None:
        self.world = world
        self.broker = Broker(world.stack.kafka_bootstrap)
        self.keys = Keys(self.own(), keys_of(world, "files"))
        self.set_up()

    def own(self) -> ProcessorKeys:
        """Return the rightful sender's keys."""
        return keys_of(self.world, "crm-eu")

    def set_up(self) -> None:
        """Bring about what the messages speak of."""

    def tear_down(self) -> None:
        """Let the world go on."""

    def genuine(self) -> list[Record]:
        """Return three genuine messages, each about something of its own."""
        raise NotImplementedError

    def arrived(self) -> list[int]:
        """Return how often each of them has had its effect."""
        raise NotImplementedError

    def record(self, body: Message, key: str) -> Record:
        """Return `body` as its rightful sender puts it on the wire."""
        made = Composer(source="tests", namespace=self.world.stack.namespace).compose(
            self.topic, body, key=key, keys=self.keys.own, event_id=ids.new("evt"), subject=key, at=datetime.now(UTC)
        )
        return Record.of(made)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Ask the database, as its owner."""

        async def work() -> list[dict[str, Any]]:
            connection = await asyncpg.connect(self.world.stack.postgres_url)
            try:
                return [dict(row) for row in await connection.fetch(query, *values)]
            finally:
                await connection.close()

        return in_thread(work)

    def run(self, script: str) -> None:
        """Have the database run statements, as its owner."""

        async def work() -> None:
            connection = await asyncpg.connect(self.world.stack.postgres_url)
            try:
                await connection.execute(script)
            finally:
                await connection.close()

        in_thread(work)

    def dead(self) -> list[str]:
        """Return the reasons of the consumer's dead letters, in the order in which it met them."""
        query = f"SELECT reason FROM {self.service}.dead_letters WHERE consumer = $1 ORDER BY id"
        return [row["reason"] for row in self.rows(query, self.consumer)]

    def halted(self) -> bool:
        """Return whether the consumer has halted."""
        query = f"SELECT halted_at FROM {self.service}.consumers WHERE name = $1 AND halted_at IS NOT NULL"
        return bool(self.rows(query, self.consumer))


class Tasks(Scene):
    """The test is the orchestrator: it sends tasks about people whom the vendor knows."""

    service, consumer, topic, knows_all = "connectors", "tasks.crm-eu", TASKS, False

    def set_up(self) -> None:
        self.people = self.world.people(3)
        self.tasks = [ids.new("tsk") for _ in self.people]

    def genuine(self) -> list[Record]:
        return [self.task(person, task) for person, task in zip(self.people, self.tasks, strict=True)]

    def task(self, person: Person, task: str, *, lives: float = 3_600.0, sealed: str | None = None) -> Record:
        """Return a task that erases somebody; `lives` seconds until it is too late, `sealed` instead of a seal."""
        now, request = datetime.now(UTC), ids.new("req")
        subject = SealedSubject(task=task, identities=(SealedIdentity(type=IdentityType.EMAIL, value=person.email),))
        body = TaskDispatched(
            livemode=True,
            task_id=task,
            request_id=request,
            processor="crm-eu",
            client_id=ids.new("cli"),
            dispatch_no=1,
            action=Action.ERASE,
            right=Right.ERASURE,
            round=0,
            manifest_version=1,
            not_after=now + timedelta(seconds=lives),
            forget_after=now + timedelta(days=1),
            due_at=now + timedelta(days=30),
            sealed=sealed or seal(self.keys.own, subject),
        )
        return self.record(body, request)

    def arrived(self) -> list[int]:
        return [self.deletions(person) for person in self.people]

    def seal_of(self, record: Record) -> str:
        """Return the seal in a task."""
        return str(json.loads(record.value or b"")["sealed"])

    def unsealable(self) -> set[str]:
        """Return those of the tasks whose seal the host could not open."""
        query = "SELECT id FROM connectors.tasks WHERE state = 'unsealable' AND id = ANY ($1)"
        return {row["id"] for row in self.rows(query, self.tasks)}

    def deletions(self, person: Person) -> int:
        """Return how often the vendor deleted somebody, by its own ledger."""
        effects = self.world.effects([person])
        return sum(times for (_, effect, _), times in effects.items() if effect == "contact.gdpr_delete")


class Reports(Scene):
    """The test is the connector host: it settles tasks that the orchestrator dispatched."""

    service, consumer, topic = "orchestrator", "orchestrator.reports", REPORTS

    def set_up(self) -> None:
        self.world.stack.services["connectors"].stop()
        self.requests = self.world.erase(self.world.people(3))
        wait_for(lambda: all(self._resolve(one)["state"] == "dispatched" for one in self.requests), within=180)

    def tear_down(self) -> None:
        self.world.stack.services["connectors"].start()

    def genuine(self) -> list[Record]:
        return [self._settled(one) for one in self.requests]

    def arrived(self) -> list[int]:
        query = "SELECT count(*) FROM orchestrator.timeline WHERE request_id = $1 AND type = 'task.settled'"
        return [int(self.rows(query, one)[0]["count"]) for one in self.requests]

    def _settled(self, request: str) -> Record:
        body = TaskSettled(
            livemode=True,
            task_id=self._resolve(request)["id"],
            request_id=request,
            processor="crm-eu",
            dispatch_no=1,
            at=datetime.now(UTC),
            outcome=Outcome(headline=Headline.NOTHING_FOUND),
        )
        return self.record(body, request)

    def _resolve(self, request: str) -> dict[str, Any]:
        rows = self.rows(
            "SELECT id, state FROM orchestrator.tasks WHERE request_id = $1 AND round = 1 AND processor = 'crm-eu'",
            request,
        )
        return rows[0] if rows else {"state": None}


class Notices(Scene):
    """The test is the orchestrator: it has people told."""

    service, consumer, topic, knows_all = "notifier", "notices", NOTICES, False

    def own(self) -> ProcessorKeys:
        return keys_of(self.world, "notifier")

    def set_up(self) -> None:
        self.addresses = [f"told.{ids.new('ntc')[-8:].lower()}@example.com" for _ in range(3)]

    def genuine(self) -> list[Record]:
        return [self.notice(address) for address in self.addresses]

    def notice(self, address: str, *, lives: float = 3_600.0, keys: ProcessorKeys | None = None) -> Record:
        """Return a notice to an address, sealed under the notifier's keys or those given."""
        notice, case = ids.new("ntc"), ids.new("cas")
        body = NoticeDue(
            livemode=True,
            notice_id=notice,
            case_id=case,
            request_id=ids.new("req"),
            kind=NoticeKind.ACKNOWLEDGEMENT,
            language=Language.ENGLISH,
            right=Right.ERASURE,
            dispatch_no=1,
            not_after=datetime.now(UTC) + timedelta(seconds=lives),
            received_on=date(2026, 11, 20),
            due_on=date(2026, 12, 21),
            sealed=seal(keys or self.keys.own, SealedNotice(notice=notice, email=address)),
        )
        return self.record(body, case)

    def arrived(self) -> list[int]:
        mails = self.world.mails([Person(one, one) for one in self.addresses])
        return [len(mails[one]) for one in self.addresses]


class Deliveries(Scene):
    """The test is the notifier: it says that mails were sent."""

    service, consumer, topic = "orchestrator", "orchestrator.deliveries", DELIVERIES

    def own(self) -> ProcessorKeys:
        return keys_of(self.world, "notifier")

    def set_up(self) -> None:
        self.world.stack.services["notifier"].stop()
        self.requests = self.world.erase(self.world.people(3))
        wait_for(lambda: len(self._notices()) == len(self.requests), within=180)

    def tear_down(self) -> None:
        self.world.stack.services["notifier"].start()

    def genuine(self) -> list[Record]:
        return [
            self.record(
                NoticeSent(
                    livemode=True,
                    notice_id=row["id"],
                    case_id=row["case_id"],
                    request_id=row["request_id"],
                    kind=NoticeKind.ACKNOWLEDGEMENT,
                    at=datetime.now(UTC),
                ),
                row["case_id"],
            )
            for row in self._notices()
        ]

    def arrived(self) -> list[int]:
        query = "SELECT count(*) FROM orchestrator.timeline WHERE request_id = $1 AND type = 'notice.sent'"
        return [int(self.rows(query, one)[0]["count"]) for one in self.requests]

    def _notices(self) -> list[dict[str, Any]]:
        query = "SELECT * FROM orchestrator.notices WHERE request_id = ANY ($1) AND kind = 'acknowledgement'"
        return self.rows(query, self.requests)


class Processors(Scene):
    """The test is the connector host: it announces new titles of a processor, one after the other."""

    service, consumer, topic = "orchestrator", "orchestrator.processors", PROCESSORS

    def set_up(self) -> None:
        self.titles = [f"CRM {ids.new('evt')[-6:]}" for _ in range(3)]
        self.seen: set[str] = set()

    def genuine(self) -> list[Record]:
        (known,) = self.rows("SELECT kind, manifest FROM orchestrator.processors WHERE id = 'crm-eu'")
        manifest = json.loads(known["manifest"])
        records = []
        for title in self.titles:
            body = ProcessorAnnounced(
                livemode=True,
                processor="crm-eu",
                kind=known["kind"],
                manifest=WireManifest.model_validate({**manifest, "title": title}),
                manifest_version=manifest["version"],
                key_versions=(1,),
                incarnation=title,
                at=datetime.now(UTC),
            )
            records.append(self.record(body, "crm-eu"))
        return records

    def arrived(self) -> list[int]:
        """Return 1 for each once the last is known: of what was said before, nothing is kept."""
        (known,) = self.rows("SELECT manifest FROM orchestrator.processors WHERE id = 'crm-eu'")
        return [int(json.loads(known["manifest"])["title"] == self.titles[-1])] * 3


SCENES: dict[str, type[Scene]] = {
    "tasks": Tasks,
    "reports": Reports,
    "notices": Notices,
    "deliveries": Deliveries,
    "processors": Processors,
}


def keys_of(world: World, processor: str) -> ProcessorKeys:
    """Return the keys of a processor or of the notifier, from the file that it was enrolled with."""
    home = world.stack.home
    path = home.notifier_key if processor == "notifier" else home.processors / processor / "enrolment.key"
    told = json.loads(path.read_text())
    return ProcessorKeys.from_secret(told["processor"], told["version"], base64.b64decode(told["secret"]))
