"""Secrets of processors: what a version proves counts for as long as it is valid, and no moment longer."""

import base64
import json
from typing import Any

import httpx
import pytest

from contracts import ids
from contracts.enrolments import EnrolmentOut
from contracts.message import Message
from contracts.processors import ProcessorAnnounced
from contracts.proof import HEADER, parse
from contracts.reports import TaskAccepted, TaskUnsealable
from contracts.topics import PROCESSORS, REPORTS, Topic
from habeas.vocabulary import Scope
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import kid_in
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.outgoing import Outgoing
from services.orchestrator.api.examples import REASON
from services.orchestrator.consumers import takers
from tests.integration.services.histories import Post
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import MANIFESTS, Desk

NAME = "mailing"
REVOKE = f"/v1/processors/{NAME}/revoke"
ROTATE = f"/v1/processors/{NAME}/rotate"


class Office:
    """One processor, its host's messages under any version, and the consumers as the service wires them."""

    def __init__(self, api: Api, caller: httpx.AsyncClient) -> None:
        self.api = api
        self.caller = caller
        self.desk = Desk(api)
        self._composer = Composer(source="tests", namespace="")
        made = takers(api.deps, DeadLetters(api.deps.root.secret, days=1))
        self._posts = {topic: Post(taker) for topic, taker in made.items()}

    async def enrol(self) -> EnrolmentOut:
        answer = await self.caller.post("/v1/processors", json={"id": NAME, "kind": "mailing"})
        return EnrolmentOut.model_validate(answer.json())

    async def rotate(self) -> EnrolmentOut:
        answer = await self.caller.post(ROTATE)
        assert answer.status_code == 201, answer.text
        return EnrolmentOut.model_validate(answer.json())

    async def revoke(self, below: int) -> None:
        answer = await self.caller.post(REVOKE, json={"below": below})
        assert answer.status_code == 200, answer.text

    async def announce(self, enrolment: EnrolmentOut, *versions: int) -> None:
        """Announce the processor under an enrolment's keys, with the versions that the host holds."""
        body = ProcessorAnnounced.model_validate(
            {
                "livemode": True, "processor": NAME, "kind": "mailing", "manifest_version": 1,
                "manifest": {
                    "kind": "mailing", "version": 1, "title": NAME, "owner": "tests", "country": "NL",
                    **MANIFESTS[NAME],
                },
                "key_versions": versions, "incarnation": f"holds {versions}", "at": self.api.clock.now(),
            }
        )  # fmt: skip
        await self._posts[PROCESSORS].bring([self._said(PROCESSORS, body, NAME, enrolment)])
        await self.desk.rest()

    async def accept(self, enrolment: EnrolmentOut, task: dict[str, Any]) -> str:
        """Report a task as accepted under an enrolment's keys; return where the task stands then."""
        body = TaskAccepted.model_validate(self._about(task))
        await self._posts[REPORTS].bring([self._said(REPORTS, body, task["request_id"], enrolment)])
        (row,) = await self.api.rows("SELECT state FROM tasks WHERE id = $1", task["id"])
        return str(row["state"])

    async def lack(self, enrolment: EnrolmentOut, task: dict[str, Any], kid: str, *versions: int) -> None:
        """Report that the host lacks the key of `kid`, and which versions it holds."""
        body = TaskUnsealable.model_validate({**self._about(task), "kid": kid, "key_versions": versions})
        await self._posts[REPORTS].bring([self._said(REPORTS, body, task["request_id"], enrolment)])

    async def sent(self) -> dict[str, Any]:
        """File a request and let it be planned; return its one task."""
        request = await self.desk.file()
        await self.desk.rest()
        (task,) = await self.api.rows("SELECT * FROM tasks WHERE request_id = $1", request)
        return task

    async def sealed_under(self, task: dict[str, Any]) -> list[str]:
        """Return under which kids a task was sealed, each time that it was sent; each was proven under the same."""
        rows = await self.api.rows("SELECT headers, value FROM outbox WHERE key = $1 ORDER BY id", task["request_id"])
        kids = []
        for row in rows:
            body = json.loads(row["value"])
            if "sealed" in body and body.get("task_id") == task["id"]:
                kids.append(kid_in(body["sealed"]))
                assert parse(json.loads(row["headers"])[HEADER])[0] == kids[-1]
        return kids

    async def refused(self) -> list[str]:
        """Return why records were refused."""
        return [row["reason"] for row in await self.api.rows("SELECT reason FROM dead_letters ORDER BY id")]

    async def shown(self) -> dict[str, Any]:
        (found,) = (await self.caller.get("/v1/processors")).json()["data"]
        return dict(found)

    def _about(self, task: dict[str, Any]) -> dict[str, Any]:
        named = {"task_id": task["id"], "request_id": task["request_id"], "processor": NAME}
        return {"livemode": True, **named, "dispatch_no": 1, "at": self.api.clock.now()}

    def _said(self, topic: Topic, body: Message, key: str, enrolment: EnrolmentOut) -> Outgoing:
        return self._composer.compose(
            topic, body, key=key, keys=keys_of(enrolment), event_id=ids.new("evt"), subject=key,
            at=self.api.clock.now(),
        )  # fmt: skip


def keys_of(enrolment: EnrolmentOut) -> ProcessorKeys:
    return ProcessorKeys.from_secret(NAME, enrolment.version, base64.b64decode(enrolment.secret))


@pytest.fixture
async def office(api: Api, caller: httpx.AsyncClient) -> Office:
    return Office(api, caller)


@pytest.fixture
async def first(office: Office) -> EnrolmentOut:
    """The first version, which the host announced."""
    await office.desk.enrol(NAME)
    enrolment = await office.enrol()
    await office.announce(enrolment, 1)
    return enrolment


async def test_a_new_version_is_used_once_the_host_says_that_it_holds_it(office: Office, first: EnrolmentOut) -> None:
    second = await office.rotate()
    assert (second.version, second.enrolment) == (2, first.enrolment)
    assert second.secret != first.secret
    assert await office.sealed_under(await office.sent()) == ["mailing/1"]
    await office.announce(second, 1, 2)
    task = await office.sent()
    assert await office.sealed_under(task) == ["mailing/2"]
    assert await office.accept(first, task) == "accepted"
    assert await office.refused() == []


async def test_until_it_is_announced_rotating_again_gives_the_same_version(office: Office, first: EnrolmentOut) -> None:
    assert await office.rotate() == await office.rotate()
    shown = await office.shown()
    assert (shown["secret_version"], shown["announced_versions"]) == (2, [1])
    assert shown["rotated_by"].startswith("cli_")


async def test_two_versions_are_valid_and_no_third(office: Office, first: EnrolmentOut) -> None:
    second = await office.rotate()
    await office.announce(second, 1, 2)
    third = await office.rotate()
    task = await office.sent()
    assert await office.accept(first, task) == "dispatched"
    assert await office.accept(second, task) == "accepted"
    assert await office.accept(third, await office.sent()) == "accepted"
    assert await office.refused() == ["unknown_kid"]


async def test_a_revoked_version_proves_nothing_any_more_whoever_revoked_it(
    office: Office, first: EnrolmentOut, other_api: Api
) -> None:
    second = await office.rotate()
    await office.announce(second, 1, 2)
    task = await office.sent()
    async with other_api.client(await other_api.key()) as elsewhere:  # another process of the orchestrator
        assert (await elsewhere.post(REVOKE, json={"below": 2})).json()["min_secret_version"] == 2
    assert await office.accept(first, task) == "dispatched"
    assert await office.refused() == ["unknown_kid"]
    assert await office.accept(second, task) == "accepted"


async def test_revoked_proofs_halt_no_consumer(office: Office, first: EnrolmentOut) -> None:
    await office.announce(await office.rotate(), 1, 2)
    await office.revoke(2)
    task = await office.sent()
    for _ in range(office.api.deps.settings.halt_after + 1):
        await office.accept(first, task)
    assert await office.api.rows("SELECT 1 FROM consumers WHERE halted_at IS NOT NULL") == []


async def test_nothing_is_sealed_under_a_revoked_version_and_what_is_new_waits_for_the_host(
    office: Office, first: EnrolmentOut
) -> None:
    second = await office.rotate()
    await office.revoke(2)  # before its host has it
    task = await office.sent()
    assert (task["state"], await office.sealed_under(task)) == ("waiting", [])
    await office.announce(first, 1)
    assert await office.refused() == ["unknown_kid"]
    await office.announce(second, 1, 2)
    assert await office.sealed_under(task) == ["mailing/2"]


async def test_a_version_that_was_never_made_is_not_the_only_one_left(office: Office, first: EnrolmentOut) -> None:
    answer = await office.caller.post(REVOKE, json={"below": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "version_not_made")
    assert "rotate first" in answer.json()["detail"]
    assert await office.accept(first, await office.sent()) == "accepted"


async def test_what_was_revoked_stays_revoked(office: Office, first: EnrolmentOut) -> None:
    await office.announce(await office.rotate(), 1, 2)
    await office.announce(await office.rotate(), 1, 2, 3)
    await office.revoke(3)
    await office.revoke(2)
    shown = await office.shown()
    assert (shown["min_secret_version"], shown["revoked_by"][:4]) == (3, "cli_")


async def test_a_host_is_sealed_to_under_what_it_holds_not_under_what_another_announced(
    office: Office, first: EnrolmentOut
) -> None:
    await office.announce(await office.rotate(), 1, 2)
    task = await office.sent()
    await office.lack(first, task, "mailing/2", 1)
    assert await office.sealed_under(task) == ["mailing/2", "mailing/1"]


async def test_a_host_that_claims_a_version_which_was_never_made_is_sealed_to_under_one_that_was(
    office: Office, first: EnrolmentOut
) -> None:
    await office.announce(first, 1, 99)
    assert await office.sealed_under(await office.sent()) == ["mailing/1"]


async def test_a_retired_processor_is_believed_no_more(office: Office, first: EnrolmentOut) -> None:
    task = await office.sent()
    await office.caller.post(f"/v1/processors/{NAME}/retire", json=REASON)
    assert await office.accept(first, task) == "dispatched"
    assert await office.refused() == ["unknown_kid"]
    for path, body in ((ROTATE, None), (REVOKE, {"below": 2})):
        answer = await office.caller.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_retired")


async def test_an_id_that_is_enrolled_anew_has_key_ids_of_its_own(office: Office, first: EnrolmentOut) -> None:
    """Otherwise whoever knew the old key under a kid would refuse the new one, or believe the old."""
    await office.caller.post(f"/v1/processors/{NAME}/retire", json=REASON)
    second = await office.enrol()
    assert (first.version, second.version) == (1, 2)
    await office.announce(second, 2)
    task = await office.sent()
    assert await office.sealed_under(task) == ["mailing/2"]
    assert await office.accept(first, task) == "dispatched"
    assert await office.accept(second, task) == "accepted"
    assert await office.refused() == ["unknown_kid"]


async def test_only_an_admin_of_processors_rotates_and_revokes(api: Api, first: EnrolmentOut) -> None:
    async with api.client(await api.key(Scope.PROCESSORS_READ, client="reader")) as reader:
        for path, body in ((ROTATE, None), (REVOKE, {"below": 2})):
            assert (await reader.post(path, json=body)).json()["code"] == "scope_missing"


async def test_nobody_is_not_rotated_and_a_revocation_says_below_which_version(
    office: Office, first: EnrolmentOut
) -> None:
    for rest, body in (("rotate", None), ("revoke", {"below": 2})):
        assert (await office.caller.post(f"/v1/processors/nobody/{rest}", json=body)).status_code == 404
    for below in (1, 0, "x", None):
        answer = await office.caller.post(REVOKE, json={"below": below})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/below")
