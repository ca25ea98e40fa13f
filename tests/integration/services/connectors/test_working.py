"""From a dispatched task to its report, through Kafka and PostgreSQL."""

import pytest

from contracts.reports import TaskAccepted
from habeas.vocabulary import Action, Checked, Disposition, Headline
from services.chassis.crypto.seal import unseal
from tests.integration.services.connectors.rig import Rig, until
from tests.integration.services.connectors.vendor import kind

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_an_erase_task_is_carried_out_and_reported(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1", "r2"], "c-2": ["r3"]}
    async with rig.host():
        answer = await rig.settled(await rig.send(rig.message("crm", "c-1")))
    assert vendor.records == {"c-1": [], "c-2": ["r3"]}
    assert sorted(vendor.effects) == ["r1", "r2"]
    assert answer.outcome.headline is Headline.FULFILLED
    assert [(one.category, one.disposition, one.count, one.checked) for one in answer.outcome.lines] == [
        ("records", Disposition.ERASED, 2, Checked.VERIFIED)
    ]
    assert (answer.effects, answer.attempts, answer.cancelled) == (2, 1, False)


async def test_a_processor_is_announced_with_its_manifest(rig: Rig) -> None:
    await rig.enrol("crm")
    async with rig.host():
        await until(lambda: bool(rig.announced("crm")))
    told = rig.announced("crm")[0]
    assert (told.kind, told.manifest_version, told.key_versions) == ("records", 1, (1,))


async def test_resolved_identities_come_back_sealed(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.aliases = {"c-1": "jane@example.com"}
    async with rig.host():
        answer = await rig.settled(await rig.send(rig.message("crm", "c-1", action=Action.RESOLVE)))
    assert answer.sealed is not None
    assert b"jane@example.com" in unseal(rig.enrolled["crm"], answer.sealed)


async def test_accepted_is_said_of_what_takes_long_and_of_nothing_else(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    async with rig.host(accept_after=0.2):
        slow = await rig.send(rig.message("crm", "c-1"))
        accepted = await rig.first(TaskAccepted, slow)
        vendor.gate.set()
        await rig.settled(slow)
    async with rig.host(accept_after=60.0):
        quick = await rig.send(rig.message("crm", "c-2"))
        await rig.settled(quick)
    assert accepted.dispatch_no == 1
    assert len(rig.of(TaskAccepted, slow)) == 1
    assert rig.of(TaskAccepted, quick) == []


async def test_a_settled_task_leaves_nothing_of_the_subject(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    async with rig.host():
        await rig.settled(await rig.send(rig.message("crm", "c-1")))
    (row,) = await rig.rows("SELECT seal, findings, holder FROM tasks")
    assert row == {"seal": None, "findings": None, "holder": None}
    assert await rig.rows("SELECT * FROM journal") == []


async def test_a_limit_of_tasks_at_a_time_is_kept(rig: Rig) -> None:
    rig.kinds["records"] = kind(limits={"concurrency": 2})
    vendor = await rig.enrol("crm")
    vendor.records = {f"c-{number}": [f"r{number}"] for number in range(8)}
    vendor.gate.clear()

    async def in_line() -> bool:
        query = "SELECT FROM tasks WHERE state = 'open' AND holder IS NULL AND next_at <= now()"
        return vendor.arrived >= 2 and len(await rig.rows(query)) == 6

    async with rig.host():
        sent = [await rig.send(rig.message("crm", customer)) for customer in vendor.records]
        await until(in_line)
        assert vendor.arrived == 2
        vendor.gate.set()
        for one in sent:
            await rig.settled(one)
    assert len(vendor.effects) == 8
    assert vendor.most_together == 2
