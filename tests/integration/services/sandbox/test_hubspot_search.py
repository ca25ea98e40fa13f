"""HubSpot's search: required fields, tokens, pages, limits and an index that lags."""

from typing import Any

import httpx
import pytest

from tests.integration.services.sandbox.conftest import CONTACTS, Running, until

SEARCH = f"{CONTACTS}/search"


def body(*groups: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    wanted = {"filterGroups": [{"filters": group} for group in groups], "properties": [], "sorts": []}
    return {**wanted, "limit": 200, "after": "0", **more}


def equal(name: str, value: str) -> dict[str, Any]:
    return {"propertyName": name, "operator": "EQ", "value": value}


def token(name: str, value: str) -> dict[str, Any]:
    return {"propertyName": name, "operator": "CONTAINS_TOKEN", "value": value}


def found(sandbox: Running, *groups: list[dict[str, Any]], **more: Any) -> list[str]:
    answer = sandbox.hubspot.post(SEARCH, json=body(*groups, **more))
    assert answer.status_code == 200
    return [one["id"] for one in answer.json()["results"]]


@pytest.mark.parametrize("field", ["filterGroups", "properties", "sorts", "limit", "after"])
def test_each_of_the_five_fields_is_required(sandbox: Running, field: str) -> None:
    wanted = body()
    del wanted[field]
    answer = sandbox.hubspot.post(SEARCH, json=wanted)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert answer.json()["errors"][0]["in"] == field


def test_an_address_is_found_in_any_case(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    assert found(sandbox, [equal("email", person["email"].upper())]) == person["contact_ids"]


def test_an_additional_address_is_found_only_by_token(sandbox: Running) -> None:
    person = sandbox.odd("address is only an additional one of the contact")
    email = person["email"]
    assert found(sandbox, [equal("email", email)]) == []
    assert person["contact_ids"][0] in found(sandbox, [equal("email", email)], [token("hs_additional_emails", email)])


def test_a_token_search_also_finds_an_address_that_contains_the_words(sandbox: Running) -> None:
    person = sandbox.odd("address is only an additional one of the contact")
    stranger = sandbox.odd("additional address that contains another person's")
    ids = found(sandbox, [token("hs_additional_emails", person["email"])])
    assert set(ids) == {*person["contact_ids"], *stranger["contact_ids"]}


def test_one_person_may_have_two_contacts(sandbox: Running) -> None:
    person = sandbox.odd("second contact that holds the address as an additional one")
    email = person["email"]
    ids = found(sandbox, [equal("email", email)], [token("hs_additional_emails", email)])
    assert ids == person["contact_ids"]
    assert len(ids) == 2


def test_filters_of_a_group_must_all_hold_and_groups_are_alternatives(sandbox: Running) -> None:
    one, two = sandbox.people(2)
    mixed = [equal("email", one["email"]), equal("customer_id", two["customer_id"])]
    assert found(sandbox, mixed) == []
    assert found(sandbox, mixed[:1], mixed[1:]) == one["contact_ids"] + two["contact_ids"]


def test_pages_hold_200_at_most_and_lead_on_by_a_cursor(sandbox: Running) -> None:
    sandbox.people(250, seed=3)
    first = sandbox.hubspot.post(SEARCH, json=body()).json()
    second = sandbox.hubspot.post(SEARCH, json=body(after=first["paging"]["next"]["after"])).json()
    assert len(first["results"]) == 200
    assert len(first["results"]) + len(second["results"]) == first["total"]
    assert "paging" not in second
    assert sandbox.hubspot.post(SEARCH, json=body(limit=201)).status_code == 400
    assert sandbox.hubspot.post(SEARCH, json=body(after="9900")).status_code == 400


def test_too_many_groups_and_unknown_names_are_refused(sandbox: Running) -> None:
    group = [equal("email", "a@example.com")]
    for wanted in (
        body(*[group] * 6),
        body(group * 26),
        body([equal("nope", "1")]),
        body([{**group[0], "operator": "IS"}]),
    ):
        assert sandbox.hubspot.post(SEARCH, json=wanted).status_code == 400


def test_only_properties_asked_for_come_back(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    answer = sandbox.hubspot.post(SEARCH, json=body([equal("email", person["email"])], properties=["phone", "nope"]))
    properties = answer.json()["results"][0]["properties"]
    assert properties["phone"] == person["phone"]
    assert "email" not in properties
    assert "nope" not in properties


def test_the_index_still_shows_who_was_just_erased(sandbox: Running) -> None:
    sandbox.turn("hubspot", search_lag=3600)
    person = sandbox.people(1)[0]
    contact = person["contact_ids"][0]
    sandbox.hubspot.post(f"{CONTACTS}/gdpr-delete", json={"objectId": contact})
    assert found(sandbox, [equal("email", person["email"])]) == [contact]
    assert sandbox.hubspot.get(f"{CONTACTS}/{contact}").status_code == 404
    sandbox.turn("hubspot", search_lag=0)
    assert found(sandbox, [equal("email", person["email"])]) == []


def test_a_new_contact_shows_once_the_index_has_caught_up(sandbox: Running) -> None:
    sandbox.turn("hubspot", search_lag=3600)
    contact = sandbox.contact(email="late@example.com")
    assert found(sandbox, [equal("email", "late@example.com")]) == []
    sandbox.turn("hubspot", search_lag=0.01)
    until(lambda: found(sandbox, [equal("email", "late@example.com")]) == [contact])


def test_the_search_bucket_has_a_limit_of_its_own(sandbox: Running) -> None:
    sandbox.turn("hubspot", search_secondly=1)
    assert sandbox.hubspot.post(SEARCH, json=body()).status_code == 200
    refused: list[httpx.Response] = []

    def throttled() -> bool:
        refused.append(sandbox.hubspot.post(SEARCH, json=body()))
        return refused[-1].status_code == 429

    until(throttled)
    assert refused[-1].json()["policyName"] == "SECONDLY"
    assert "retry-after" not in refused[-1].headers
    assert sandbox.hubspot.get(CONTACTS).status_code == 200
