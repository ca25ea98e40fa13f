"""An access request: a key for each export, receipts that are kept, and hosts that forget when the time is over."""

import base64
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from habeas.vocabulary import Action
from services.chassis.postgres import outbox
from services.orchestrator.api.examples import ACCESS, REASON
from services.orchestrator.handlers.close_packages import ClosePackages
from services.orchestrator.handlers.fetch_package import note_end, note_fetch
from services.orchestrator.handlers.retire_processor import retire_processor
from services.orchestrator.handlers.shred_requests import Upkeep
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import RECEIPT, Hosts

DAY = timedelta(days=1)


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    """Two processors that export."""
    hosts = Hosts(api.deps)
    for processor in ("crm", "files"):
        await caller.post("/v1/processors", json={"id": processor, "kind": processor})
        await hosts.announce(processor, processor, serves=(Action.ERASE, Action.EXPORT))
    return hosts


@pytest.fixture
async def request_id(caller: httpx.AsyncClient, hosts: Hosts) -> str:
    """An access request whose exports are under way."""
    answer = await caller.post("/v1/requests", json=ACCESS, headers={"idempotency-key": "k"})
    assert answer.status_code == 201, answer.text
    await hosts.work()
    return str(answer.json()["id"])


async def closed(api: Api) -> Counter[str]:
    """How many times the host of each processor was told to forget."""
    bodies = [
        (json.loads(row["headers"])["ce_type"], json.loads(row["value"]))
        for row in await api.rows("SELECT * FROM outbox")
    ]
    return Counter(body["processor"] for kind, body in bodies if kind == "dev.habeas.task.closed.v1")


async def shown(api: Api, request: str) -> dict[str, Any]:
    (row,) = await api.rows("SELECT * FROM requests WHERE id = $1", request)
    return row


async def test_each_export_has_a_key_of_its_own_that_falls_with_the_requests(
    api: Api, hosts: Hosts, request_id: str
) -> None:
    (row,) = await api.rows("SELECT wrapped FROM request_keys WHERE request_id = $1", request_id)
    data_key = api.deps.at_rest.unwrap(row["wrapped"])
    keys = set()
    for task in [one async for one in hosts.sent()]:
        subject, message = await hosts.opened(task)
        # As the contracts have it, which other implementations go by.
        info = f"habeas export key v1{task['id']}".encode()
        expected = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(data_key)
        assert base64.urlsafe_b64decode(subject.export_key or "") == expected
        assert message.forget_after >= api.clock.now() + 75 * DAY  # the host's own 45, and the package's 30
        keys.add(expected)
    assert len(keys) == 2


async def test_what_is_exported_is_kept_until_the_copys_time_is_over_and_given_up_once(
    api: Api, hosts: Hosts, request_id: str
) -> None:
    await hosts.settle_all()
    row = await shown(api, request_id)
    assert (row["state"], json.loads(row["outcome"])["headline"]) == ("completed", "fulfilled")
    assert row["package_until"] == api.clock.now() + 30 * DAY
    receipts = [json.loads(task["export"]) for task in await api.rows("SELECT export FROM tasks")]
    assert receipts == [RECEIPT.model_dump()] * 2
    packages, upkeep = ClosePackages(api.deps), Upkeep(api.deps)
    api.clock.advance(30 * DAY - timedelta(seconds=1))
    assert await packages.step() == 0
    assert await closed(api) == {}
    api.clock.advance(timedelta(seconds=1))
    await upkeep.shred()  # the key is old enough to go, but not while the copy is there
    assert await api.count("request_keys") == 1
    assert await packages.step() == 1
    assert await packages.step() == 0
    assert await closed(api) == {"crm": 1, "files": 1}
    assert (await shown(api, request_id))["package_open"] is False
    assert await api.rows("SELECT 1 FROM timeline WHERE type = 'request.package_closed'")
    api.clock.advance(DAY)
    await api.execute("UPDATE notices SET state = 'sent', answered_at = now()")
    await upkeep.shred()
    assert await api.count("request_keys") == 0


async def test_a_crash_amid_giving_up_leaves_it_to_the_next_time(
    api: Api, hosts: Hosts, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hosts.settle_all()
    api.clock.advance(31 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "append", None)
        with pytest.raises(TypeError):
            await ClosePackages(api.deps).step()
    assert (await shown(api, request_id))["package_open"] is True
    assert await ClosePackages(api.deps).step() == 1
    assert await closed(api) == {"crm": 1, "files": 1}


async def test_a_processor_that_was_skipped_has_no_part_in_the_copy_and_forgets_at_once(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts, request_id: str
) -> None:
    tasks = {task["processor"]: task async for task in hosts.sent()}
    assert (await caller.post(f"/v1/tasks/{tasks['files']['id']}/skip", json=REASON)).is_success
    await hosts.settle(tasks["crm"])
    await hosts.work()
    await hosts.settle(tasks["files"])  # too late
    assert json.loads((await shown(api, request_id))["outcome"])["headline"] == "partly_fulfilled"
    exports = await api.rows("SELECT processor FROM tasks WHERE export IS NOT NULL")
    assert exports == [{"processor": "crm"}]
    assert await closed(api) == {"files": 1}


async def test_a_processor_that_was_retired_forgets_at_once(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts, request_id: str
) -> None:
    async with api.deps.database.transaction() as connection:
        await retire_processor(connection, processor="files", reason="sold", actor="cli_tests", deps=api.deps)
    await hosts.settle_all()
    assert (await shown(api, request_id))["state"] == "completed"
    assert await closed(api) == {"files": 1}


async def test_it_can_be_called_off_as_long_as_it_is_open_and_then_nothing_is_kept(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts, request_id: str
) -> None:
    tasks = {task["processor"]: task async for task in hosts.sent()}
    await hosts.settle(tasks["crm"])
    answer = await caller.post(f"/v1/requests/{request_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelling")
    await hosts.settle(tasks["files"], cancelled=True)
    await hosts.work()
    row = await shown(api, request_id)
    assert (row["state"], row["package_open"], row["package_until"]) == ("cancelled", False, None)
    assert await closed(api) == {"crm": 1, "files": 1}


async def test_without_a_place_for_copies_none_is_offered(api: Api, caller: httpx.AsyncClient) -> None:
    object.__setattr__(api.deps.settings, "exports_url", None)
    answer = await caller.post("/v1/requests", json=ACCESS, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (422, "right_not_offered")
    assert "HABEAS_EXPORTS_URL" in answer.json()["errors"][0]["detail"]
    assert await api.count("requests") == 0


async def test_a_copy_that_nobody_fetched_is_shown_before_it_goes(api: Api, hosts: Hosts, request_id: str) -> None:
    await hosts.settle_all()
    packages = ClosePackages(api.deps)
    api.clock.advance(25 * DAY - timedelta(seconds=1))
    assert await packages.remind() == 0
    api.clock.advance(timedelta(seconds=1))
    assert (await packages.remind(), await packages.remind()) == (1, 0)
    assert json.loads((await shown(api, request_id))["attention"])["reason"] == "package_not_fetched"
    api.clock.advance(5 * DAY)
    assert await packages.step() == 1
    assert (await shown(api, request_id))["attention"] is None


@pytest.mark.parametrize("before", [True, False])
async def test_a_copy_that_was_fetched_needs_nobody(api: Api, hosts: Hosts, request_id: str, *, before: bool) -> None:
    await hosts.settle_all()
    packages = ClosePackages(api.deps)
    if not before:
        api.clock.advance(26 * DAY)
        assert await packages.remind() == 1
    async with api.deps.database.transaction() as connection:
        fetch = await note_fetch(connection, request_id=request_id, actor="cli_tests", deps=api.deps)
        await note_end(
            connection, request_id=request_id, actor="cli_tests", fetch=fetch, sent=1, reason=None, deps=api.deps
        )
    assert (await shown(api, request_id))["attention"] is None
    api.clock.advance(3 * DAY)
    assert await packages.remind() == 0
