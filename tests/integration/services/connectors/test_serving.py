"""Enrolment folders: a new one is served at once, a changed one anew, a broken one does not disturb the others."""

import json
from pathlib import Path

import pytest

from contracts.reports import TaskUnsealable
from habeas.local.places import write_private
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal
from tests.integration.services.connectors.rig import Rig, until

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_a_folder_that_is_added_at_run_time_is_served(rig: Rig) -> None:
    async with rig.host() as running:
        assert running.host.roster.served() == {}
        vendor = await rig.enrol("late")
        vendor.records = {"c-1": ["r1"]}
        answer = await rig.settled(await rig.send(rig.message("late", "c-1")))
        await until(lambda: bool(rig.announced("late")))
    assert answer.effects == 1


async def test_a_changed_secret_is_used_without_a_restart(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    async with rig.host():
        assert vendor.tokens == {"first"}
        rig.write(rig.folder / "crm" / "secrets" / "token", "the second")
        await until(lambda: vendor.tokens == {"first", "the second"})
        await rig.settled(await rig.send(rig.message("crm", "c-1")))


async def test_a_task_in_hand_ends_with_the_processor_that_it_began_with(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        await until(lambda: vendor.arrived == 1)
        rig.write(rig.folder / "crm" / "secrets" / "token", "the second")
        await until(lambda: len(vendor.tokens) == 2)
        vendor.gate.set()
        answer = await rig.settled(sent)
    assert (answer.effects, answer.attempts) == (1, 1)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("settings.toml", "vendor = ", "settings.toml is not TOML"),
        ("settings.toml", "", "vendor: Field required"),
        ("settings.toml", "vendor = 7", "vendor: Input should be a valid string"),
        ("secrets/unasked", "s3cr3t", "unasked: Extra inputs are not permitted"),
        ("enrolment.key", "{}", "enrolment.key is malformed"),
    ],
)
async def test_a_broken_folder_is_logged_without_its_values_and_the_others_go_on(
    rig: Rig, caplog: pytest.LogCaptureFixture, file: str, text: str, said: str
) -> None:
    await rig.enrol("broken")
    rig.write(rig.folder / "broken" / file, text)
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    async with rig.host() as running:
        await rig.settled(await rig.send(rig.message("crm", "c-1")))
        assert set(running.host.roster.served()) == {"crm"}
    problems = [vars(one)["habeas"]["problem"] for one in caplog.records if one.msg == "enrolment.broken"]
    assert len(problems) == 1, "it is said once"
    assert said in problems[0]
    assert "s3cr3t" not in problems[0]


async def test_a_key_that_others_can_read_is_not_used(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await rig.enrol("open")
    (rig.folder / "open" / "enrolment.key").chmod(0o644)
    async with rig.host() as running:
        assert running.host.roster.served() == {}
    assert "chmod 600" in str([vars(one)["habeas"] for one in caplog.records if one.msg == "enrolment.broken"])


async def test_a_change_that_breaks_a_folder_leaves_what_was_served(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await rig.enrol("crm")
    async with rig.host():
        rig.write(rig.folder / "crm" / "settings.toml", "vendor = ")
        await until(lambda: any(one.msg == "enrolment.broken" for one in caplog.records))
        await rig.settled(await rig.send(rig.message("crm", "c-1")))


async def test_a_folder_that_is_gone_is_no_longer_served(rig: Rig) -> None:
    await rig.enrol("crm")
    async with rig.host() as running:
        for file in sorted((rig.folder / "crm").rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        (rig.folder / "crm").rmdir()
        await until(lambda: not running.host.roster.served())
        assert running.host.roster.subscriptions == []


async def test_only_a_part_of_the_folders_is_served_when_told_so(rig: Rig) -> None:
    await rig.enrol("crm")
    await rig.enrol("files")
    async with rig.host(only="files,other") as running:
        assert set(running.host.roster.served()) == {"files"}


async def test_a_further_key_version_is_announced_and_opens_seals(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    first = rig.enrolled["crm"]
    async with rig.host():
        await until(lambda: bool(rig.announced("crm")))
        second = add_version(rig.folder / "crm", 2)
        rig.learn(second)
        await until(lambda: rig.announced("crm")[-1].key_versions == (1, 2))
        old = rig.message("crm", "c-1")
        await rig.produce(rig.outgoing(old, keys=first))  # proven and sealed before the rotation
        new = rig.message("crm", "c-1")
        assert seal(second, b"") != seal(first, b"")
        answer = await rig.settled(await rig.send(new))
    assert answer.outcome.complete


async def test_a_key_file_that_is_deleted_is_announced_as_gone_and_opens_nothing_any_more(rig: Rig) -> None:
    await rig.enrol("crm")
    first = rig.enrolled["crm"]
    async with rig.host():
        await until(lambda: bool(rig.announced("crm")))
        rig.learn(add_version(rig.folder / "crm", 2))
        await until(lambda: rig.announced("crm")[-1].key_versions == (1, 2))
        (rig.folder / "crm" / "enrolment.key").unlink()
        await until(lambda: rig.announced("crm")[-1].key_versions == (2,))
        report = await rig.first(
            TaskUnsealable, await rig.send(rig.message("crm", "c-1", sealed=seal(first, b"of before")))
        )
    assert (report.kid, report.key_versions) == ("crm/1", (2,))


async def test_two_files_of_one_version_are_one_version(rig: Rig) -> None:
    await rig.enrol("crm")
    file = rig.folder / "crm" / "enrolment.key"
    rig.write(file.with_name("enrolment.1.key"), file.read_text())
    async with rig.host():
        await until(lambda: bool(rig.announced("crm")))
    assert rig.announced("crm")[0].key_versions == (1,)


def add_version(folder: Path, version: int) -> ProcessorKeys:
    """Write a further key file beside the first."""
    document = json.loads((folder / "enrolment.key").read_text()) | {
        "version": version,
        "secret": "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=",
    }
    write_private(folder / f"enrolment.{version}.key", json.dumps(document))
    return ProcessorKeys.from_secret(folder.name, version, b"newnewnewnewnewnewnewnewnewnewne")


async def test_after_a_change_of_cluster_it_announces_and_consumes_afresh(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    async with rig.host():
        await until(lambda: len(rig.announced("crm")) == 1)
        await until(lambda: _another_cluster(rig))
        await until(lambda: len(rig.announced("crm")) == 2)
        answer = await rig.settled(await rig.send(rig.message("crm", "c-1")))
    assert answer.effects == 1
    assert await rig.rows("SELECT 1 FROM cluster WHERE id = 'another'") == []


async def _another_cluster(rig: Rig) -> bool:
    """Let the host remember another cluster, once it remembers one at all."""
    return bool(await rig.rows("UPDATE cluster SET id = 'another' RETURNING id"))
