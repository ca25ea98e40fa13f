"""A second instance of a kind: another account of the same vendor works by enrolment and settings alone."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from habeas.local.enrolment import Enroller, Wanted, write_settings
from tests.journeys.errands import NEW_PHONE
from tests.journeys.world import Person, World, wait_for, wish
from tests.plain import HTTP

CONTACTS = "crm/v3/objects/contacts"
TOKEN = "sandbox-hubspot-us-token"


@pytest.fixture
def us(calm: World) -> Iterator[httpx.Client]:
    """The second account's own API, with the processor `crm-us` enrolled beside `crm-eu`."""
    base_url = f"{calm.stack.sandbox_url}/hubspot-us/"
    wanted = Wanted(id="crm-us", kind="hubspot", settings={"base_url": base_url}, secrets={"token": TOKEN})
    if not (calm.stack.home.processors / wanted.id).exists():  # or the host would take the same up once more, some day
        write_settings(calm.stack.home, wanted)
    with Enroller(calm.stack.url, calm.stack.key) as admin:
        admin.enrol(calm.stack.home, wanted)
        admin.wait_until_announced({"crm-eu", "crm-us"})
    with httpx.Client(
        base_url=base_url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
    ) as account:
        yield account


def known(account: httpx.Client, person: Person) -> str:
    """Make the person a contact of this account; return its id."""
    properties = {"email": person.email, "customer_id": person.customer_id, "lastname": "Second"}
    contact = account.post(CONTACTS, json={"properties": properties}).raise_for_status().json()["id"]
    note = {"properties": {"hs_note_body": "Called."}, "associations": [{"to": {"id": contact}}]}
    account.post("crm/v3/objects/notes", json=note).raise_for_status()
    return str(contact)


def statuses(account: httpx.Client, contact: str) -> list[int]:
    """Return what the account answers when asked for a contact, live and in its recycle bin."""
    return [account.get(f"{CONTACTS}/{contact}?archived={archived}").status_code for archived in ("false", "true")]


def ledger(world: World, vendor: str, person: Person) -> list[str]:
    """Return the effects on a person by a vendor's own ledger."""
    found = HTTP.get(f"{world.stack.sandbox_url}/_sandbox/ledger/{vendor}").json()["effects"]
    return [one["effect"] for one in found if one["changed"] and one["person"] == person.customer_id]


def waits_for_credentials(world: World, request: str) -> bool:
    """Whether the request needs a person because a vendor refused our secret."""
    shown = world.habeas.requests.get(request).attention
    return shown is not None and shown.reason == "credentials_rejected"


def test_a_person_known_in_two_accounts_is_erased_in_both(calm: World, us: httpx.Client) -> None:
    person, other = calm.people(2)
    contact, neighbour = known(us, person), known(us, other)
    assert ledger(calm, "hubspot-us", person) == ["contact.create", "note.create"]

    calm.wait(calm.erase([person]))

    assert statuses(us, contact) == [404, 404]
    assert statuses(us, neighbour) == [200, 404]
    assert calm.remains(person) == 0
    assert calm.remains(other) > 0
    assert ledger(calm, "hubspot-us", person)[2:] == ["contact.gdpr_delete"]
    assert ledger(calm, "hubspot", person).count("contact.gdpr_delete") == 1


def test_a_person_known_in_two_accounts_is_corrected_in_both_and_given_a_copy_of_both(
    calm: World, us: httpx.Client, tmp_path: Path
) -> None:
    (person,) = calm.people(1)
    contact = known(us, person)

    calm.wait(calm.file([wish("rectification", person, corrections={"contact.phone": NEW_PHONE})]))

    properties = us.get(f"{CONTACTS}/{contact}?properties=phone").raise_for_status().json()["properties"]
    assert properties["phone"] == NEW_PHONE
    assert calm.phones(person) == {NEW_PHONE}
    assert ledger(calm, "hubspot-us", person)[2:] == ["contact.update"]

    (access,) = calm.file([wish("access", person)])
    calm.wait([access])

    saved = calm.habeas.requests.package(access).save(tmp_path / "copy.zip")
    with zipfile.ZipFile(saved.path) as package:
        copies = {name: package.read(f"{name}/contact.json").decode() for name in ("crm-eu", "crm-us")}
        assert "Called." in package.read("crm-us/notes.json").decode()
    assert all(person.email in copy and NEW_PHONE in copy for copy in copies.values())
    assert "Second" in copies["crm-us"]
    assert "Second" not in copies["crm-eu"]


def test_an_account_whose_token_is_refused_waits_for_a_person_and_loses_nothing(calm: World, us: httpx.Client) -> None:
    (person,) = calm.people(1)
    contact = known(us, person)
    secret = calm.stack.home.processors / "crm-us" / "secrets" / "token"
    with calm.served_anew("crm-us"):
        secret.write_text("another")
    (request,) = calm.erase([person])
    wait_for(lambda: waits_for_credentials(calm, request), within=180)
    assert statuses(us, contact) == [200, 404]

    with calm.served_anew("crm-us"):
        secret.write_text(TOKEN)
    calm.habeas.requests.retry(request)
    calm.wait([request])
    assert statuses(us, contact) == [404, 404]
