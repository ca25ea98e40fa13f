"""HubSpot's permanent deletion: what goes, what stays, what a repeat and a lie do."""

from typing import Any

import httpx

from tests.integration.services.sandbox.conftest import CONTACTS, Running


def erase(sandbox: Running, object_id: str, **more: Any) -> httpx.Response:
    return sandbox.hubspot.post(f"{CONTACTS}/gdpr-delete", json={"objectId": object_id, **more})


def blocked(sandbox: Running, email: str) -> bool:
    return bool(sandbox.control.get("/hubspot/blocklist", params={"email": email}).json()["blocked"])


def test_a_known_contact_goes_with_its_notes(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    contact = person["contact_ids"][0]
    notes = sandbox.hubspot.get(f"/crm/v4/objects/contacts/{contact}/associations/notes").json()["results"]
    answer = erase(sandbox, contact)
    assert (answer.status_code, answer.content) == (204, b"")
    assert sandbox.remains(person["customer_id"])["hubspot"] == 0
    assert sandbox.hubspot.get(f"/crm/v3/objects/notes/{notes[0]['toObjectId']}").status_code == 404
    assert blocked(sandbox, person["email"])


def test_a_shared_note_stays_with_the_other_person(sandbox: Running) -> None:
    one, two = sandbox.people(2)
    path = f"/crm/v4/objects/contacts/{two['contact_ids'][0]}/associations/notes"
    notes, digest = sandbox.hubspot.get(path).json(), sandbox.digest(one["customer_id"])
    erase(sandbox, one["contact_ids"][0])
    assert sandbox.hubspot.get(path).json() == notes
    assert sandbox.digest(one["customer_id"]) == digest
    assert sandbox.remains(one["customer_id"])["hubspot"] == 0


def test_a_ticket_stays_without_its_contact(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    contact = person["contact_ids"][0]
    tickets = sandbox.hubspot.get(f"/crm/v4/objects/contacts/{contact}/associations/tickets").json()["results"]
    erase(sandbox, contact)
    ticket = tickets[0]["toObjectId"]
    assert sandbox.hubspot.get(f"/crm/v3/objects/tickets/{ticket}").status_code == 200
    left = sandbox.hubspot.get(f"/crm/v4/objects/tickets/{ticket}/associations/contacts").json()
    assert left["results"] == []


def test_a_repeat_is_a_call_that_changes_nothing(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    answers = [erase(sandbox, person["contact_ids"][0]) for _ in range(2)]
    assert [one.status_code for one in answers] == [204, 204]
    lines = [(one["effect"], one["changed"]) for one in sandbox.effects("hubspot")]
    assert lines == [("contact.gdpr_delete", True), ("contact.gdpr_delete", False)]


def test_an_unknown_address_is_accepted_and_blocked(sandbox: Running) -> None:
    answers = [erase(sandbox, "nobody@example.com", idProperty="email") for _ in range(2)]
    assert [one.status_code for one in answers] == [204, 204]
    assert blocked(sandbox, "nobody@example.com")
    lines = [(one["effect"], one["changed"]) for one in sandbox.effects("hubspot")]
    assert lines == [("email.blocklist", True), ("email.blocklist", False)]


def test_an_unknown_id_is_not_found(sandbox: Running) -> None:
    assert erase(sandbox, "1").status_code == 404
    assert sandbox.effects("hubspot") == []


def test_by_address_reaches_the_primary_contact_alone(sandbox: Running) -> None:
    person = sandbox.odd("address is only an additional one of the contact")
    assert erase(sandbox, person["email"], idProperty="email").status_code == 204
    assert sandbox.hubspot.get(f"{CONTACTS}/{person['contact_ids'][0]}").status_code == 200


def test_an_archived_contact_can_still_be_erased(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    contact = person["contact_ids"][0]
    sandbox.hubspot.delete(f"{CONTACTS}/{contact}")
    assert erase(sandbox, contact).status_code == 204
    assert sandbox.remains(person["customer_id"])["hubspot"] == 0


def test_a_create_over_the_api_brings_a_blocked_person_back(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    erase(sandbox, person["contact_ids"][0])
    sandbox.contact(email=person["email"])
    assert sandbox.remains(person["customer_id"])["hubspot"] == 1


def test_the_ledger_names_person_target_and_key(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    body = {"objectId": person["contact_ids"][0]}
    sandbox.hubspot.post(f"{CONTACTS}/gdpr-delete", json=body, headers={"Idempotency-Key": "k-1"})
    line = sandbox.effects("hubspot")[0]
    assert (line["seq"], line["vendor"], line["key"]) == (1, "hubspot", "k-1")
    assert (line["person"], line["target"]) == (person["customer_id"], person["contact_ids"][0])


def test_a_lie_says_done_and_leaves_everything(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    sandbox.turn("hubspot", lie=True)
    before = sandbox.remains(person["customer_id"])
    assert erase(sandbox, person["contact_ids"][0]).status_code == 204
    assert sandbox.remains(person["customer_id"]) == before
    assert sandbox.effects("hubspot")[0]["changed"] is False
