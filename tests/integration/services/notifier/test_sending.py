"""One mail for each notice, whatever the mail server and the other instances do; held where nobody can know."""

import asyncio
import re

import httpx

from contracts.notices import NoticeDue
from contracts.seal import SealedNotice
from habeas.vocabulary import Language, NoticeKind
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal
from services.notifier.app import Notifier
from tests.integration.services.notifier.conftest import KEYS, World, due
from tests.waiting import until


def again(one: NoticeDue, dispatch_no: int) -> NoticeDue:
    return one.model_copy(update={"dispatch_no": dispatch_no})


async def test_a_notice_that_comes_twice_is_mailed_once_and_answered_again(world: World) -> None:
    notice = due()
    async with world.running(), world.deliveries() as reports:
        await world.publish(notice, notice)
        await until(lambda: len(reports) >= 1)
        await world.publish(again(notice, 2))
        await until(lambda: len({event for event, _ in reports}) == 2)
        assert {body["type"] for _, body in reports} == {"sent"}
    assert len(world.mail.to("jane@example.com")) == 1


async def test_greylisting_is_waited_out(world: World) -> None:
    world.mail.rcpt = ["450 4.7.1 greylisted", "451 4.7.1 greylisted"]
    notice = due()
    async with world.running():
        await world.publish(notice)
        await until(lambda: world.is_in(notice, "sent"))
    assert len(world.mail.to("jane@example.com")) == 1
    assert world.mail.offered == 3


async def test_a_permanent_refusal_bounces_with_its_status_code(world: World) -> None:
    world.mail.rcpt = ["550 5.1.1 <jane@example.com>: no such person"]
    notice = due()
    async with world.running(), world.deliveries() as reports:
        await world.publish(notice)
        await until(lambda: len(reports) == 1)
    assert (reports[0][1]["type"], reports[0][1]["reason"]) == ("bounced", "5.1.1")
    assert world.mail.mails == []
    assert await world.rows("SELECT id FROM notices WHERE sealed IS NOT NULL") == []


async def test_a_server_that_hangs_up_after_the_final_dot_leaves_it_unknown_for_good(world: World) -> None:
    world.mail.dot = [None]
    notice = due()
    async with world.running(), world.deliveries() as reports:
        await world.publish(notice)
        await until(lambda: len(reports) == 1)
        await world.publish(again(notice, 2))
        await until(lambda: len(reports) == 2)
    assert [(body["type"], body["reason"]) for _, body in reports] == [("unknown", "connection_lost")] * 2
    assert len(world.mail.mails) == 1


async def test_two_instances_send_each_notice_once(world: World) -> None:
    notices = [due(f"person{number}@example.com") for number in range(60)]
    async with world.running(instance=0) as one, world.running(instance=1) as other:
        await world.publish(*notices)
        await until(lambda: len(world.mail.mails) >= len(notices))
        for notice in notices:
            await until(lambda notice=notice: world.is_in(notice, "sent"))
        assert one.lease.name != other.lease.name
    recipients = sorted(recipients[0] for recipients, _ in world.mail.mails)
    assert recipients == sorted(f"person{number}@example.com" for number in range(60))


async def test_a_sender_that_was_stopped_in_the_middle_is_unknown_until_it_wakes(world: World) -> None:
    world.mail.gate.clear()
    notice = due()
    async with world.running(sender_lease=0.4) as sleeper, world.deliveries() as reports:
        await world.publish(notice)
        await until(lambda: world.mail.at_gate == 1)
        sleeper.lease.seconds = -1.0  # its heartbeats come too late, as if the process had stood still
        await until(lambda: len(reports) == 1)
        assert reports[0][1]["type"] == "unknown"
        world.mail.gate.set()
        await until(lambda: len(reports) == 2)
        assert reports[1][1]["type"] == "sent"
    assert len(world.mail.mails) == 1


async def test_stopping_lets_a_mail_arrive_that_is_on_its_way(world: World) -> None:
    world.mail.gate.clear()
    notice = due()
    async with world.running():
        await world.publish(notice)
        await until(lambda: world.mail.at_gate == 1)
        asyncio.get_running_loop().call_later(0.2, world.mail.gate.set)
    assert await world.state(notice) == "sent"
    assert len(world.mail.mails) == 1


async def test_stopping_gives_back_what_has_not_left(world: World) -> None:
    notice = due()
    async with world.running() as notifier:
        notifier.post.deliver = _never  # type: ignore[method-assign,assignment]
        await world.publish(notice)
        await until(lambda: world.is_in(notice, "claimed"))
    assert await world.state(notice) == "waiting"
    async with world.running():
        await until(lambda: world.is_in(notice, "sent"))
    assert len(world.mail.mails) == 1


async def _never(*_: object) -> None:
    await asyncio.Event().wait()


async def test_it_waits_for_its_enrolment_and_is_not_ready_before(world: World) -> None:
    (world.folder / "enrolment.key").unlink()
    notice = due()
    async with world.running() as notifier:
        await world.publish(notice)
        await until(lambda: notifier.http.started)
        assert await _ready(notifier) == (503, "NotEnrolled")
        world.enrol()
        await until(lambda: world.is_in(notice, "sent"))
        await until(lambda: _is_ready(notifier))
    assert await world.rows("SELECT id FROM dead_letters") == []


async def test_a_newer_enrolment_is_taken_up_while_it_runs(world: World) -> None:
    newer = ProcessorKeys.from_secret("notifier", 2, bytes(range(32, 64)))
    notice = due(keys=newer)
    async with world.running():
        world.enrol(version=2, secret=bytes(range(32, 64)))
        await world.publish(notice, keys=newer)
        await until(lambda: world.is_in(notice, "sent"))


async def test_its_port_opens_no_door_that_a_framework_opens_by_itself(world: World) -> None:
    async with world.running() as notifier:
        await until(lambda: notifier.http.started)
        async with _http(notifier) as client:
            assert (await client.get("/healthz/live")).status_code == 200
            for path in ("/docs", "/docs/try", "/openapi", "/openapi.json"):
                assert ((await client.get(path)).status_code, (await client.post(path)).status_code) == (404, 404), path


async def _is_ready(notifier: Notifier) -> bool:
    return await _ready(notifier) == (200, "ok")


async def _ready(notifier: Notifier) -> tuple[int, str]:
    async with _http(notifier) as client:
        answer = await client.get("/healthz/ready")
    return answer.status_code, answer.json()["parts"]["enrolment"]


def _http(notifier: Notifier) -> httpx.AsyncClient:
    (server,) = notifier.http._server.servers
    port = server.sockets[0].getsockname()[1]
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30.0)


async def test_what_is_not_proven_becomes_a_dead_letter_and_sends_nothing(world: World) -> None:
    forged, good = due("eve@example.com"), due()
    async with world.running():
        await world.publish(forged, keys=ProcessorKeys.from_secret("notifier", 1, bytes(32)))
        await world.publish(good)
        await until(lambda: world.is_in(good, "sent"))
        await until(lambda: _dead(world))
    assert world.mail.to("eve@example.com") == []


async def _dead(world: World) -> bool:
    return len(await world.rows("SELECT id FROM dead_letters")) == 1


async def test_seals_and_addresses_that_can_not_be_used_bounce_with_a_word(world: World) -> None:
    broken = due().model_copy(update={"sealed": "nonsense"})
    moved = due().model_copy(update={"sealed": due("eve@example.com").sealed})
    many = due()
    address = SealedNotice(notice=many.notice_id, email="a@example.com, b@example.com")
    many = many.model_copy(update={"sealed": seal(KEYS, address)})
    async with world.running(), world.deliveries() as reports:
        await world.publish(broken, moved, many)
        await until(lambda: len(reports) == 3)
    reasons = {body["notice_id"]: body["reason"] for _, body in reports}
    assert reasons == {
        broken.notice_id: "broken_seal",
        moved.notice_id: "seal_of_another_notice",
        many.notice_id: "malformed_address",
    }
    assert world.mail.mails == []


async def test_the_mail_as_it_arrives(world: World) -> None:
    notice = due(
        reference="<b>{{7*7}}</b>\r\nBcc: eve@example.com", kind=NoticeKind.ACKNOWLEDGEMENT, language=Language.DUTCH
    )
    async with world.running(controller_name="Bureau Zoë"):
        await world.publish(notice)
        await until(lambda: world.is_in(notice, "sent"))
    ((recipients, mail),) = world.mail.mails
    assert recipients == ["jane@example.com"]
    assert (mail["From"], mail["Bcc"]) == ("Bureau Zoë <privacy@example.com>", None)
    assert mail["Subject"] == "Uw verzoek om wissing: wij hebben het ontvangen"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "<b>{{7*7}}</b> Bcc: eve@example.com" in text.get_content()
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in html.get_content()
    assert re.search(r"https://autoriteitpersoonsgegevens\.nl", html.get_content())
