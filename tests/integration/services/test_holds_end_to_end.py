"""From an erasure that keeps an invoice to the request that erases it: both services, and a clock that is moved."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.chassis.clock import ManualClock
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Database
from services.connectors.host.enrolment import Enrolment
from services.connectors.host.served import Served
from services.orchestrator.domain.retention import RetentionRules
from services.orchestrator.handlers.follow_holds import HoldTimer
from services.orchestrator.handlers.shred_requests import Upkeep
from tests.integration.services.connectors.conftest import connectors_url
from tests.integration.services.connectors.desk import Desk as HostDesk
from tests.integration.services.connectors.vendor import CATEGORY, Records, Vendor, kind
from tests.integration.services.orchestrator.conftest import Api, api, orchestrator_owner_url, orchestrator_url
from tests.integration.services.orchestrator.desk import Desk as OfficeDesk

__all__ = ["api", "connectors_url", "orchestrator_owner_url", "orchestrator_url"]  # fixtures of both rooms

RULES = f'[[rules]]\ncategory = "{CATEGORY}"\nground = "tax_law"\nyears = 1\ncounted_from = "end_of_year"\n'
PAID, ENDS = date(2025, 12, 5), date(2027, 1, 1)


@dataclass
class Both:
    """An orchestrator and a host; whatever one writes into its outbox is carried to the other by hand."""

    office: OfficeDesk
    host: HostDesk
    vendor: Vendor
    clock: ManualClock

    async def carry(self) -> None:
        """Let both do all that there is to do."""
        while True:
            await self.office.rest()
            out = await _emptied(self.office.deps.database)
            await self.host.take([one for one in out if ".tasks." in one.topic])
            await self.host.work()
            back = await _emptied(self.host.database)
            await self.office.take(back)
            if not out and not back:
                return

    async def file(self, customer: str) -> str:
        body = {
            "right": "erasure",
            "subject": {"identities": [{"type": "customer_id", "value": customer}]},
            "identity_check": {"method": "client_asserted"},
        }
        async with self.office.api.client(await self.office.api.key()) as caller:
            filed = await caller.post("/v1/requests", json=body, headers={"idempotency-key": customer})
        assert filed.status_code == 201
        return str(filed.json()["id"])

    async def shown(self, request: str) -> dict[str, Any]:
        async with self.office.api.client(await self.office.api.key()) as caller:
            found: dict[str, Any] = (await caller.get(f"/v1/requests/{request}")).json()
        return found

    def move_to(self, day: date) -> None:
        self.clock.advance(datetime(day.year, day.month, day.day, tzinfo=UTC) - self.clock.now())


async def _emptied(database: Database) -> list[Outgoing]:
    async with database.connection() as connection:
        rows = await connection.fetch("DELETE FROM outbox RETURNING id, topic, key, headers, value")
    return [
        Outgoing(row["topic"], row["key"], json.loads(row["headers"]), row["value"])
        for row in sorted(rows, key=lambda row: row["id"])
    ]


@pytest.fixture
async def both(api: Api, connectors_url: str, namespace: str) -> AsyncIterator[Both]:
    object.__setattr__(api.deps, "retention", RetentionRules.parse(RULES, source="rules.toml"))
    office = OfficeDesk(api)
    await office.enrol("crm", "records")
    keys = office.keys_of("crm")
    vendor = Records.VENDORS[namespace] = Vendor()
    vendor.gate.set()
    vendor.after.set()
    database = await Database.open(connectors_url, name="test", size=4)
    enrolled = Enrolment("crm", "records", (keys,), {"vendor": namespace})
    served = await Served.start(enrolled, kind(resolves=[], actions={"erase": {}}))
    host = HostDesk(database, served, vendor, keys=keys, clock=api.clock)
    await office.take([host.announced()])
    yield Both(office, host, vendor, api.clock)
    await served.close(after=1.0)
    await database.close()


async def test_an_invoice_is_kept_for_as_long_as_the_law_wants_it_and_no_longer(both: Both) -> None:
    both.vendor.records = {"c-1": ["paid", "old"], "c-2": ["other"]}
    both.vendor.dated = {"paid": PAID, "old": date(2019, 3, 1), "other": PAID}
    request = await both.file("c-1")
    await both.carry()
    done = await both.shown(request)
    assert (done["state"], done["outcome"]["headline"]) == ("completed", "fulfilled_with_retention")
    (line,) = [line for line in done["outcome"]["lines"] if line["disposition"] == "retained"]
    assert (line["ground"], line["until"], line["count"]) == ("tax_law", str(ENDS), 1)
    assert both.vendor.records == {"c-1": ["paid"], "c-2": ["other"]}

    # Everything that told who it was about is forgotten: the request's key, and all that the host knows of its task.
    both.clock.advance(timedelta(days=31))
    await Upkeep(both.office.deps).shred()
    async with both.host.database.connection() as connection:
        await connection.execute("DELETE FROM tasks")
        await connection.execute("DELETE FROM journal")
    assert await both.office.api.count("request_keys") == 0

    both.move_to(date(2026, 12, 31))
    timer = HoldTimer(both.office.deps)
    assert await timer.step() == 0
    both.move_to(ENDS)
    assert await timer.step() == 1
    await both.carry()

    (row,) = await both.office.api.rows("SELECT id FROM requests WHERE follows = $1", request)
    over = await both.shown(row["id"])
    assert (over["state"], over["cause"], over["outcome"]["headline"]) == ("completed", "hold_ended", "fulfilled")
    assert [(line["disposition"], line["count"], line["checked"]) for line in over["outcome"]["lines"]] == [
        ("erased", 1, "verified")
    ]
    assert both.vendor.records == {"c-1": [], "c-2": ["other"]}
    assert both.vendor.effects == ["old", "paid"]
    async with both.host.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM holds") == 0
