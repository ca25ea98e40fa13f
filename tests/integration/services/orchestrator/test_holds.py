"""What must be kept is remembered, and erased by a request that follows when its time is over: with a moved clock."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from contracts.outcomes import Line, Outcome
from contracts.reports import TaskSettled
from contracts.seal import SealedSubject
from habeas.vocabulary import Action, Checked, Disposition, IdentityType
from services.chassis.crypto.seal import unseal
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.app import read_retention
from services.orchestrator.handlers.follow_holds import HoldTimer
from services.orchestrator.handlers.record_reports import RecordReports
from services.orchestrator.handlers.retire_processor import retire_processor
from services.orchestrator.handlers.shred_requests import Upkeep
from services.orchestrator.settings import SHIPPED_RETENTION
from tests.integration.services.orchestrator.conftest import NOW, Api
from tests.integration.services.orchestrator.hosts import Hosts, incoming

EMAIL = IdentityType.EMAIL
ENDS, LATER = date(2034, 1, 1), date(2035, 1, 1)
ERASED = Line(category="contact", disposition=Disposition.ERASED, count=1, checked=Checked.VERIFIED)


def kept(until: date | None = ENDS, count: int = 2, ground: str = "tax_law") -> Line:
    return Line(
        category="invoices",
        disposition=Disposition.RETAINED,
        count=count,
        checked=Checked.VERIFIED,
        ground=ground,
        until=until,
    )


class Office:
    """A caller, two processors and the timer of holds."""

    def __init__(self, api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
        self.api = api
        self.caller = caller
        self.hosts = hosts
        self.timer = HoldTimer(api.deps)

    async def file(self) -> str:
        answer = await self.caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})
        assert answer.status_code == 201
        await self.hosts.work()
        return str(answer.json()["id"])

    async def settle(self, processor: str, *lines: Line) -> None:
        """Report what came of the open task of a processor."""
        (task,) = [one async for one in self.hosts.sent() if one["processor"] == processor]
        body = TaskSettled(
            livemode=True,
            task_id=task["id"],
            request_id=task["request_id"],
            processor=processor,
            dispatch_no=task["dispatch_no"],
            at=self.api.clock.now(),
            outcome=Outcome.of(lines),
        )
        for _ in range(2):  # every report may come twice
            async with self.api.deps.database.transaction() as connection:
                await RecordReports(self.api.deps)(connection, [incoming(body, key=task["request_id"], event_id="e")])
        await self.hosts.work()

    async def shown(self, request: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.caller.get(f"/v1/requests/{request}")).json()
        return found

    async def timeline(self, request: str, *kinds: str) -> list[dict[str, Any]]:
        page = (await self.caller.get(f"/v1/requests/{request}/timeline")).json()
        return [entry for entry in page["data"] if not kinds or entry["type"] in kinds]

    async def follow_ups(self) -> list[dict[str, Any]]:
        return await self.api.rows("SELECT * FROM requests WHERE follows IS NOT NULL ORDER BY in_a_row, id")

    def move_to(self, day: date, hour: int = 0, *, zone: Any = UTC) -> None:
        """Let the clock go on to a day."""
        at = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
        self.api.clock.advance(at - self.api.clock.now())

    async def dispatched(self, request: str) -> list[dict[str, Any]]:
        """Return the bodies of the tasks that were sent about a request."""
        rows = await self.api.rows("SELECT headers, value FROM outbox WHERE key = $1 ORDER BY id", request)
        return [
            json.loads(row["value"])
            for row in rows
            if json.loads(row["headers"])["ce_type"] == "dev.habeas.task.dispatched.v1"
        ]


@pytest.fixture
async def office(api: Api, caller: httpx.AsyncClient) -> Office:
    for processor, kind in (("billing", "stripe"), ("crm-eu", "hubspot")):
        await caller.post("/v1/processors", json={"id": processor, "kind": kind})
    hosts = Hosts(api.deps)
    await hosts.announce("billing", "stripe", accepts=(EMAIL,))
    await hosts.announce("crm-eu", "hubspot", accepts=(EMAIL,))
    return Office(api, caller, hosts)


async def erased_but_for(office: Office, *lines: Line) -> str:
    """File an erasure of which billing keeps something."""
    request = await office.file()
    await office.settle("crm-eu", ERASED)
    await office.settle("billing", ERASED, *lines)
    return request


async def test_what_is_kept_is_told_and_noted(office: Office) -> None:
    request = await erased_but_for(office, kept(), kept(None, 1, "legal_claims"))
    assert (await office.shown(request))["outcome"]["headline"] == "fulfilled_with_retention"
    noted = await office.timeline(request, "hold.placed")
    assert [(entry["processor"], entry["detail"]) for entry in noted] == [
        ("billing", {"category": "invoices", "count": 2, "ground": "tax_law", "until": "2034-01-01"}),
        ("billing", {"category": "invoices", "count": 1, "ground": "legal_claims"}),
    ]
    rows = await office.api.rows("SELECT state, until, due_at, count FROM holds ORDER BY ordinal")
    assert [(row["state"], row["until"], row["count"]) for row in rows] == [("placed", ENDS, 2), ("placed", None, 1)]
    assert rows[1]["due_at"] is None


async def test_a_follow_up_erases_it_when_its_day_has_come(office: Office) -> None:
    request = await erased_but_for(office, kept())
    office.move_to(date(2033, 12, 31), 23)
    assert await office.timer.step() == 0
    office.move_to(ENDS)
    assert await office.timer.step() == 1
    (row,) = await office.follow_ups()
    follow_up = await office.shown(row["id"])
    original = await office.shown(request)
    assert (follow_up["follows"], follow_up["cause"], follow_up["state"]) == (request, "hold_ended", "received")
    assert (original["follows"], original["cause"], original["state"]) == (None, None, "completed")
    for inherited in ("case", "right", "livemode"):
        assert follow_up[inherited] == original[inherited]
    assert (row["identity_check"], row["language"], row["client_id"]) == tuple(
        (await office.api.rows("SELECT identity_check, language, client_id FROM requests WHERE id = $1", request))[
            0
        ].values()
    )
    assert follow_up["due_on"] == "2034-02-01"

    await office.hosts.work()
    (sent,) = await office.dispatched(row["id"])
    (task,) = await office.api.rows("SELECT * FROM tasks WHERE request_id = $1 AND processor = 'billing'", request)
    assert (sent["processor"], sent["action"], sent["follows"], sent["held_until"]) == (
        "billing",
        "erase",
        task["id"],
        "2034-01-01",
    )
    keys = await office.hosts._keys("billing")
    assert SealedSubject.model_validate_json(unseal(keys, sent["sealed"])).identities == ()

    await office.settle("billing", ERASED)
    done = await office.shown(row["id"])
    assert (done["state"], done["outcome"]["headline"]) == ("completed", "fulfilled")
    assert [entry["detail"] for entry in await office.timeline(request, "hold.ended")] == [
        {"count": 2, "follow_up": row["id"], "until": "2034-01-01"}
    ]
    told = [(entry["type"], entry["detail"]) for entry in await office.timeline(row["id"])]
    assert told[0] == ("request.received", {"cause": "hold_ended", "follows": request})
    assert [kind for kind, _ in told] == [
        "request.received",
        "task.planned",
        "request.started",
        "task.dispatched",
        "task.settled",
        "request.completed",
    ]
    assert await office.timer.step() == 0


async def test_the_fact_names_what_it_follows(office: Office) -> None:
    request = await erased_but_for(office, kept())
    office.move_to(ENDS)
    await office.timer.step()
    (row,) = await office.follow_ups()
    messages = await office.api.rows("SELECT headers, value FROM outbox WHERE key = $1", row["id"])
    (fact,) = [json.loads(one["value"]) for one in messages if "request.received" in one["headers"]]
    assert (fact["follows"], fact["cause"], fact["version"]) == (request, "hold_ended", 1)


async def test_nobody_is_written_to_once_the_contact_is_forgotten(office: Office) -> None:
    request = await erased_but_for(office, kept())
    office.move_to(ENDS)
    await Upkeep(office.api.deps).shred()
    await office.timer.step()
    await office.hosts.work()
    await office.settle("billing", ERASED)
    (row,) = await office.follow_ups()
    assert await office.api.rows("SELECT 1 FROM notices WHERE request_id = $1", row["id"]) == []
    assert (await office.shown(request))["state"] == "completed"


async def test_while_the_contact_is_known_the_end_is_told_and_no_receipt_is_acknowledged(office: Office) -> None:
    soon = NOW.date() + timedelta(days=2)
    await erased_but_for(office, kept(soon))
    office.move_to(soon)
    await office.timer.step()
    await office.hosts.work()
    await office.settle("billing", ERASED)
    (row,) = await office.follow_ups()
    notices = await office.api.rows("SELECT kind FROM notices WHERE request_id = $1", row["id"])
    assert [one["kind"] for one in notices] == ["completion"]


async def test_each_end_has_a_follow_up_of_its_own_and_each_day_comes_in_the_controllers_zone(office: Office) -> None:
    request = await erased_but_for(office, kept(ENDS), kept(ENDS, 1, "legal_claims"), kept(LATER))
    office.move_to(LATER, zone=ZoneInfo("Europe/Amsterdam"))  # both have ended here, the later one not yet in UTC
    assert await office.timer.step() == 2
    office.move_to(LATER)
    assert await office.timer.step() == 1
    ended = await office.timeline(request, "hold.ended")
    assert [(entry["detail"]["until"], entry["detail"]["count"]) for entry in ended] == [
        ("2034-01-01", 3),
        ("2035-01-01", 2),
    ]
    assert len(await office.follow_ups()) == 2


async def test_a_timer_that_crashed_and_a_restored_database_open_none_twice(office: Office) -> None:
    await erased_but_for(office, kept())
    office.move_to(ENDS)
    await office.timer.step()
    before = await office.follow_ups()
    # The hold is as it was before, what was opened is still there: as when two timers ran.
    await office.api.execute("UPDATE holds SET state = 'placed', follow_up = NULL")
    assert await office.timer.step() == 1
    assert [row["id"] for row in await office.follow_ups()] == [row["id"] for row in before]
    await office.hosts.work()
    (sent,) = await office.dispatched(before[0]["id"])
    # Everything of it is gone, as in a database that was restored: it comes again under the same ids.
    for table, column in (("tasks", "request_id"), ("timeline", "request_id"), ("requests", "id")):
        await office.api.execute(f"DELETE FROM {table} WHERE {column} = $1", before[0]["id"])
    for table in ("request_keys", "request_secrets"):
        await office.api.execute(f"DELETE FROM {table} WHERE request_id = $1", before[0]["id"])
    await office.api.execute("UPDATE holds SET state = 'placed', follow_up = NULL")
    await office.api.execute("DELETE FROM outbox")
    office.api.clock.advance(timedelta(days=40))
    await office.timer.step()
    await office.hosts.work()
    assert [row["id"] for row in await office.follow_ups()] == [row["id"] for row in before]
    (again,) = await office.dispatched(before[0]["id"])
    assert again["task_id"] == sent["task_id"]


async def test_what_a_rule_keeps_on_is_followed_again_at_its_new_end(office: Office) -> None:
    await erased_but_for(office, kept())
    office.move_to(ENDS)
    await office.timer.step()
    await office.hosts.work()
    await office.settle("billing", kept(LATER))
    (first,) = await office.follow_ups()
    assert (await office.shown(first["id"]))["outcome"]["headline"] == "refused"
    assert await office.timer.step() == 0
    office.move_to(LATER)
    assert await office.timer.step() == 1
    assert [row["follows"] for row in await office.follow_ups()][1] == first["id"]


async def test_after_three_in_a_row_a_hold_stays_for_somebody_to_look_at(office: Office) -> None:
    await erased_but_for(office, kept())
    office.move_to(ENDS)
    for times in range(3):
        assert await office.timer.step() == 1
        await office.hosts.work()
        await office.settle("billing", kept())  # the same day, although it has come
        assert len(await office.follow_ups()) == times + 1
        assert await office.timer.step() == 0, "it is not asked again at once"
        office.api.clock.advance(timedelta(days=1))
    assert await office.timer.step() == 1
    follow_ups = await office.follow_ups()
    assert len(follow_ups) == 3
    (entry,) = await office.timeline(follow_ups[-1]["id"], "hold.stays")
    assert entry["detail"] == {"count": 2, "follow_ups": 3, "until": "2034-01-01"}
    office.api.clock.advance(timedelta(days=400))
    assert await office.timer.step() == 0


async def test_a_hold_without_an_end_stays(office: Office) -> None:
    await erased_but_for(office, kept(None))
    office.api.clock.advance(timedelta(days=36_500))
    assert await office.timer.step() == 0


async def test_a_processor_that_was_retired_meanwhile_is_given_up(office: Office) -> None:
    await erased_but_for(office, kept())
    async with office.api.deps.database.transaction() as connection:
        await retire_processor(connection, processor="billing", reason="over", actor="a", deps=office.api.deps)
    office.move_to(ENDS)
    await office.timer.step()
    await office.hosts.work()
    (row,) = await office.follow_ups()
    done = await office.shown(row["id"])
    assert (done["state"], done["outcome"]["headline"]) == ("completed", "not_fulfilled")
    assert done["outcome"]["lines"][0]["reason"] == "processor_retired"


async def test_a_processor_that_nobody_serves_makes_it_wait_with_attention(office: Office) -> None:
    await erased_but_for(office, kept())
    await office.api.execute("UPDATE processors SET manifest = NULL, state = 'enrolled' WHERE id = 'billing'")
    office.move_to(ENDS)
    await office.timer.step()
    await office.hosts.work()
    (row,) = await office.follow_ups()
    waiting = await office.shown(row["id"])
    assert (waiting["state"], waiting["attention"]["reason"]) == ("in_progress", "never_announced")
    await office.hosts.announce("billing", "stripe", accepts=(EMAIL,), version=2)
    await office.hosts.work()
    await office.settle("billing", ERASED)
    assert (await office.shown(row["id"]))["state"] == "completed"


async def test_a_processor_announced_later_is_not_part_of_it(office: Office) -> None:
    await erased_but_for(office, kept())
    office.move_to(ENDS)
    await office.timer.step()
    await office.caller.post("/v1/processors", json={"id": "mailing", "kind": "mailing"})
    await office.hosts.announce("mailing", "mailing", accepts=(EMAIL,))
    await office.hosts.work()
    (row,) = await office.follow_ups()
    tasks = await office.api.rows("SELECT processor FROM tasks WHERE request_id = $1", row["id"])
    assert [task["processor"] for task in tasks] == ["billing"]


@pytest.mark.parametrize(
    ("categories", "sent"), [(["customer", "invoices"], ["invoices"]), (["contact"], []), (["charges"], ["charges"])]
)
async def test_a_task_carries_the_rules_of_its_processors_categories(
    api: Api, caller: httpx.AsyncClient, categories: Sequence[str], sent: list[str]
) -> None:
    object.__setattr__(api.deps, "retention", read_retention(SHIPPED_RETENTION))
    await caller.post("/v1/processors", json={"id": "billing", "kind": "stripe"})
    hosts = Hosts(api.deps)
    await hosts.announce("billing", "stripe", accepts=(EMAIL,))
    named = [{"name": name, "description": name} for name in categories]
    await api.execute("UPDATE processors SET manifest = manifest || jsonb_build_object('categories', $1::jsonb)",
                      json.dumps(named))  # fmt: skip
    office = Office(api, caller, hosts)
    (body,) = await office.dispatched(await office.file())
    assert body["action"] == Action.ERASE
    assert [rule["category"] for rule in body["retention"]] == sent
    assert all(rule["months"] == 84 and rule["counted_from"] == "end_of_year" for rule in body["retention"])
