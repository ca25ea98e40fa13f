"""Two enrolments of one kind: each announces what it says of itself, and a change of that needs no restart."""

import pytest

from tests.integration.services.connectors.rig import Rig, until

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

AMERICA = '\n[manifest]\ntitle = "CRM, America"\nowner = "Sales US"\ncountry = "US"\nsafeguard = "Adequacy decision"\n'


async def test_each_enrolment_of_a_kind_announces_its_own_particulars(rig: Rig) -> None:
    await rig.enrol("crm-eu")
    await rig.enrol("crm-us")
    settings = rig.folder / "crm-us" / "settings.toml"
    plain = settings.read_text()
    rig.write(settings, plain + AMERICA)
    async with rig.host():
        await until(lambda: bool(rig.announced("crm-eu") and rig.announced("crm-us")))
        (europe,), (america,) = rig.announced("crm-eu"), rig.announced("crm-us")
        assert (europe.manifest.country, europe.manifest.safeguard) == ("NL", None)
        told = america.manifest
        assert (told.title, told.owner) == ("CRM, America", "Sales US")
        assert (told.country, told.safeguard) == ("US", "Adequacy decision")
        assert (told.kind, told.version, told.accepts) == (
            europe.manifest.kind, europe.manifest.version, europe.manifest.accepts
        )  # fmt: skip
        rig.write(settings, plain)
        await until(lambda: rig.announced("crm-us")[-1].manifest.country == "NL")


async def test_a_mistake_in_them_is_told_by_file_and_key_and_the_others_go_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    vendor = await rig.enrol("crm-eu")
    vendor.records = {"c-1": ["r1"]}
    await rig.enrol("crm-us")
    rig.write(rig.folder / "crm-us" / "settings.toml", 'vendor = "x"\n[manifest]\ncountry = "US"\n')
    async with rig.host():
        assert (await rig.settled(await rig.send(rig.message("crm-eu", "c-1")))).effects == 1
    (broken,) = [one.__dict__["habeas"] for one in caplog.records if one.getMessage() == "enrolment.broken"]
    assert broken["processor"] == "crm-us"
    assert broken["problem"].startswith("settings.toml: [manifest] safeguard: US is outside")
