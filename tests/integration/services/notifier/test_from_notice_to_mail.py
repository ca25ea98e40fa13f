"""A due notice on Kafka becomes one mail and one report."""

from tests.integration.services.notifier.conftest import World, due
from tests.waiting import until


async def test_a_due_notice_becomes_one_mail_and_one_report(world: World) -> None:
    notice = due()
    async with world.running(), world.deliveries() as reports:
        await world.publish(notice)
        await until(lambda: len(reports) == 1)

    (mail,) = world.mail.to("jane@example.com")
    assert mail["Message-ID"] == f"<{notice.notice_id}@example.com>"
    assert mail["To"] == "jane@example.com"
    _, report = reports[0]
    assert report["type"] == "sent"
    assert report["notice_id"] == notice.notice_id
    (row,) = await world.rows("SELECT state, sealed, recipients FROM notices")
    assert row == {"state": "sent", "sealed": None, "recipients": None}
