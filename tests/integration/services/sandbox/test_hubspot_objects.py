"""HubSpot records one by one, in batches and by association."""

import httpx
import pytest

from tests.integration.services.sandbox.conftest import CONTACTS, Running


def test_a_wrong_token_opens_nothing(sandbox: Running) -> None:
    answer = sandbox.hubspot.get(CONTACTS, headers={"Authorization": "Bearer other"})
    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"
    assert set(answer.json()) >= {"status", "message", "correlationId"}


@pytest.mark.parametrize("root", ["/crm/v3/objects/contacts", "/crm/objects/2026-03/contacts", "/crm/v3/objects/0-1"])
def test_every_path_style_reads_by_id_and_by_address(sandbox: Running, root: str) -> None:
    person = sandbox.people(1)[0]
    by_id = sandbox.hubspot.get(f"{root}/{person['contact_ids'][0]}").json()
    by_email = sandbox.hubspot.get(f"{root}/{person['email']}", params={"idProperty": "email"}).json()
    assert by_id == by_email
    assert by_id["properties"]["email"] == person["email"]
    assert "phone" not in by_id["properties"]


def test_a_read_takes_the_properties_and_associations_it_asks_for(sandbox: Running) -> None:
    person = sandbox.people(2)[0]
    params = {"properties": "phone,customer_id", "associations": "notes,tickets,deals"}
    answer = sandbox.hubspot.get(f"{CONTACTS}/{person['contact_ids'][0]}", params=params).json()
    assert answer["properties"]["customer_id"] == person["customer_id"]
    assert {name: len(one["results"]) for name, one in answer["associations"].items()} == {"notes": 2, "tickets": 1}
    assert answer["associations"]["notes"]["results"][0]["type"] == "contact_to_note"


def test_an_unknown_contact_is_not_found_in_the_vendors_words(sandbox: Running) -> None:
    answer = sandbox.hubspot.get(f"{CONTACTS}/1")
    assert answer.status_code == 404
    assert answer.json()["category"] == "OBJECT_NOT_FOUND"


def test_an_archived_contact_is_out_of_sight_but_still_there(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    path = f"{CONTACTS}/{person['contact_ids'][0]}"
    assert [sandbox.hubspot.delete(path).status_code for _ in range(2)] == [204, 204]
    assert sandbox.hubspot.get(path).status_code == 404
    assert sandbox.hubspot.get(path, params={"archived": "true"}).json()["archived"] is True
    assert sandbox.remains(person["customer_id"])["hubspot"] > 0
    assert [one["changed"] for one in sandbox.effects("hubspot")] == [True, False]


def test_a_change_sets_and_clears(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    path, names = f"{CONTACTS}/{person['email']}", {"idProperty": "email"}
    answer = sandbox.hubspot.patch(path, params=names, json={"properties": {"phone": "", "city": "Delft"}})
    assert answer.status_code == 200
    read = sandbox.hubspot.get(path, params={**names, "properties": "phone,city"}).json()["properties"]
    assert (read["phone"], read["city"]) == (None, "Delft")


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"nope": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"hs_object_id": "1"}, "READ_ONLY_VALUE"),
        ({"email": "x"}, "INVALID_EMAIL"),
    ],
)
def test_a_bad_property_is_refused_and_changes_nothing(sandbox: Running, properties: dict[str, str], code: str) -> None:
    person = sandbox.people(1)[0]
    before = sandbox.digest()
    answer = sandbox.hubspot.patch(f"{CONTACTS}/{person['contact_ids'][0]}", json={"properties": properties})
    assert answer.status_code == 400
    assert [one["code"] for one in answer.json()["errors"]] == [code]
    assert sandbox.digest() == before
    assert sandbox.effects("hubspot") == []


def test_an_address_belongs_to_one_contact(sandbox: Running) -> None:
    one, two = sandbox.people(2)
    path = f"{CONTACTS}/{two['contact_ids'][0]}"
    answer = sandbox.hubspot.patch(path, json={"properties": {"email": one["email"]}})
    assert answer.status_code == 409
    assert answer.json()["category"] == "CONFLICT"


def test_a_batch_tells_what_is_missing(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    inputs = [{"id": one} for one in (*person["contact_ids"], "1")]
    answer = sandbox.hubspot.post(f"{CONTACTS}/batch/read", json={"inputs": inputs, "properties": ["email"]})
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["results"]] == person["contact_ids"]
    assert answer.json()["numErrors"] == 1
    assert answer.json()["errors"][0]["context"]["ids"] == ["1"]
    whole = sandbox.hubspot.post(f"{CONTACTS}/batch/read", json={"inputs": inputs[:1], "properties": []})
    assert whole.status_code == 200
    assert "errors" not in whole.json()


def test_a_batch_holds_100_at_most(sandbox: Running) -> None:
    inputs = [{"id": str(one)} for one in range(101)]
    assert sandbox.hubspot.post(f"{CONTACTS}/batch/read", json={"inputs": inputs}).status_code == 400


def test_associations_come_in_pages(sandbox: Running) -> None:
    contact = sandbox.contact(email="busy@example.com")
    note = {"properties": {"hs_note_body": "x"}, "associations": [{"to": {"id": contact}}]}
    made = [int(sandbox.hubspot.post("/crm/v3/objects/notes", json=note).json()["id"]) for _ in range(5)]
    path, params, seen = f"/crm/v4/objects/contacts/{contact}/associations/notes", {"limit": "2"}, []
    while True:
        page = sandbox.hubspot.get(path, params=params).json()
        seen += [one["toObjectId"] for one in page["results"]]
        if "paging" not in page:
            break
        params["after"] = page["paging"]["next"]["after"]
    assert seen == made
    assert sandbox.hubspot.get(path, params={"limit": "501"}).status_code == 400


def test_a_page_may_be_smaller_than_asked_for(sandbox: Running) -> None:
    sandbox.people(5)
    sandbox.turn("hubspot", page_cap=2)
    page = sandbox.hubspot.get(CONTACTS, params={"limit": "100"}).json()
    assert len(page["results"]) == 2
    assert page["paging"]["next"]["after"]


def test_properties_can_be_listed(sandbox: Running) -> None:
    listed = sandbox.hubspot.get("/crm/v3/properties/contacts").json()["results"]
    by_name = {one["name"]: one["modificationMetadata"]["readOnlyValue"] for one in listed}
    assert by_name["customer_id"] is False
    assert by_name["hs_object_id"] is True


def test_an_unsubscribed_address_says_so(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    path = f"/communication-preferences/v4/statuses/{person['email']}/unsubscribe-all"

    def status() -> httpx.Response:
        return sandbox.hubspot.get(path, params={"channel": "EMAIL"})

    assert status().json()["results"] == []
    for _ in range(2):
        sandbox.hubspot.post(path, params={"channel": "EMAIL"})
    assert status().json()["results"][0]["status"] == "UNSUBSCRIBED"
    assert [one["changed"] for one in sandbox.effects("hubspot")] == [True, False]
    assert sandbox.hubspot.post(path).status_code == 400
