"""Stripe's customers: lists by exact address, search that lags, deletion that leaves payments."""

from base64 import b64encode

import pytest

from tests.integration.services.sandbox.conftest import Running
from tests.integration.services.sandbox.stripe_calls import call, listed, payer
from tests.plain import HTTP


def test_the_key_opens_as_bearer_and_as_basic_and_nothing_else_does(sandbox: Running) -> None:
    basic = b64encode(b"sk_test_sandbox:").decode()
    for given, status in ((f"Basic {basic}", 200), ("Bearer sk_test_sandbox", 200), ("Bearer sk_test_x", 401)):
        answer = HTTP.get(f"{sandbox.url}/stripe/v1/customers", headers={"authorization": given})
        assert answer.status_code == status
    answer = HTTP.get(f"{sandbox.url}/stripe/v1/customers")
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
    assert answer.headers["request-id"].startswith("req_")


def test_lists_compare_addresses_letter_by_letter(sandbox: Running) -> None:
    person = payer(sandbox, "two customers under one address")
    found = listed(sandbox, f"/v1/customers?email={person['email']}")
    assert {one["id"] for one in found} == set(person["customers"])
    assert len(found) == 2
    assert listed(sandbox, f"/v1/customers?email={person['email'].upper()}") == []


def test_search_compares_in_any_letters_and_learns_late(sandbox: Running) -> None:
    person = payer(sandbox, "address in other letters")
    assert listed(sandbox, f"/v1/customers?email={person['email']}") == []
    query = f"/v1/customers/search?query=email:'{person['email']}'"
    assert [one["id"] for one in listed(sandbox, query)] == person["customers"]
    sandbox.turn("stripe", search_lag=3_600)
    call(sandbox, "DELETE", f"/v1/customers/{person['customers'][0]}")
    assert len(listed(sandbox, query)) == 1
    sandbox.turn("stripe", search_lag=0)
    assert listed(sandbox, query) == []


def test_a_deleted_customer_answers_that_it_was_and_its_payments_stay(sandbox: Running) -> None:
    person = payer(sandbox, "")
    customer = person["customers"][0]
    invoices = [one["id"] for one in listed(sandbox, f"/v1/invoices?customer={customer}")]
    gone = {"id": customer, "object": "customer", "deleted": True}
    assert call(sandbox, "DELETE", f"/v1/customers/{customer}").json() == gone
    answer = call(sandbox, "GET", f"/v1/customers/{customer}")
    assert (answer.status_code, answer.json()) == (200, gone)
    assert listed(sandbox, f"/v1/customers?email={person['email']}") == []
    assert [one["id"] for one in listed(sandbox, f"/v1/invoices?customer={customer}")] == invoices
    assert len(listed(sandbox, f"/v1/charges?customer={customer}")) == len(invoices) == 3
    states = {one["status"] for one in listed(sandbox, f"/v1/subscriptions?customer={customer}&status=all")}
    assert states == {"canceled"}
    assert listed(sandbox, f"/v1/subscriptions?customer={customer}") == []
    assert call(sandbox, "GET", f"/v1/customers/{customer}/payment_methods").status_code == 404
    again = call(sandbox, "DELETE", f"/v1/customers/{customer}")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "resource_missing")


def test_each_thing_that_goes_is_an_effect_of_its_own_with_person_and_key(sandbox: Running) -> None:
    person = payer(sandbox, "")
    call(sandbox, "DELETE", f"/v1/customers/{person['customers'][0]}", idempotency_key="k-1")
    lines = sandbox.effects("stripe")
    assert [one["effect"] for one in lines] == ["customer.delete", "payment_method.detach", "subscription.cancel"]
    assert {(one["vendor"], one["person"], one["key"], one["changed"]) for one in lines} == {
        ("stripe", person["customer_id"], "k-1", True)
    }


def test_remains_tell_what_should_go_from_what_law_keeps(sandbox: Running) -> None:
    person = payer(sandbox, "")
    before = sandbox.remains(person["customer_id"])
    # A customer, its card, subscription and pending item; an old invoice with charge and intent; two young ones.
    assert (before["stripe"], before["stripe_kept"]) == (4 + 3, 6)
    call(sandbox, "DELETE", f"/v1/customers/{person['customers'][0]}")
    after = sandbox.remains(person["customer_id"])
    assert (after["stripe"], after["stripe_kept"]) == (1 + 3, 6)


def test_the_digest_notices_a_change_to_anybody_else(sandbox: Running) -> None:
    one, two = payer(sandbox, "", seed=1), payer(sandbox, "", seed=2)
    before = sandbox.digest(one["customer_id"])
    call(sandbox, "DELETE", f"/v1/customers/{one['customers'][0]}")
    assert sandbox.digest(one["customer_id"]) == before
    call(sandbox, "POST", f"/v1/customers/{two['customers'][0]}", {"name": "Somebody Else"})
    assert sandbox.digest(one["customer_id"]) != before
    changed = sandbox.digest(one["customer_id"])
    call(sandbox, "POST", "/v1/customers", {"email": "stranger@example.com"})
    assert sandbox.digest(one["customer_id"]) != changed


def test_an_update_replaces_an_address_as_a_whole_and_refuses_what_is_none(sandbox: Running) -> None:
    path = f"/v1/customers/{payer(sandbox, '')['customers'][0]}"
    body = call(sandbox, "POST", path, {"address[city]": "Leiden", "phone": "", "metadata[team]": "a"}).json()
    assert (body["address"]["city"], body["address"]["line1"], body["phone"]) == ("Leiden", None, None)
    assert body["metadata"].keys() == {"customer_id", "team"}
    answer = call(sandbox, "POST", path, {"email": "nobody"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "email_invalid")


def test_pages_end_where_they_say_and_begin_behind_the_last(sandbox: Running) -> None:
    customer = payer(sandbox, "many old invoices")["customers"][0]
    path = f"/v1/invoices?customer={customer}&limit=5"
    first = call(sandbox, "GET", path).json()
    assert (len(first["data"]), first["has_more"], first["object"]) == (5, True, "list")
    rest = call(sandbox, "GET", f"{path}&starting_after={first['data'][-1]['id']}&limit=100").json()
    assert (len(rest["data"]), rest["has_more"]) == (7, False)
    for wrong in ("limit=101", "limit=0", "limit=x", "starting_after=in_x", "nope=1"):
        assert call(sandbox, "GET", f"/v1/invoices?customer={customer}&{wrong}").status_code == 400


def test_a_guest_is_found_by_the_address_of_the_checkout(sandbox: Running) -> None:
    person = payer(sandbox, "paid as a guest")
    assert person["customers"] == []
    (session,) = listed(sandbox, f"/v1/checkout/sessions?customer_details[email]={person['email']}")
    assert session["customer"] is None
    (charge,) = listed(sandbox, f"/v1/charges?payment_intent={session['payment_intent']}")
    assert charge["billing_details"]["email"] == person["email"]


@pytest.mark.parametrize(("status", "code"), [("draft", 200), ("paid", 400), ("open", 400)])
def test_drafts_can_be_deleted_and_what_was_finalised_can_not(sandbox: Running, status: str, code: int) -> None:
    customer = payer(sandbox, "open invoice")["customers"][0]
    invoices = listed(sandbox, f"/v1/invoices?customer={customer}&status={status}")
    assert call(sandbox, "DELETE", f"/v1/invoices/{invoices[0]['id']}").status_code == code


def test_what_a_subscription_says_is_changed_while_it_lives_and_stays_when_it_ended(sandbox: Running) -> None:
    person = payer(sandbox, "ended subscription that tells")
    customer = person["customers"][0]
    told = listed(sandbox, f"/v1/subscriptions?customer={customer}&status=all")
    living = next(one["id"] for one in told if one["status"] == "active" and one["description"])
    ended = next(one["id"] for one in told if one["status"] == "canceled")
    for one, status in ((living, 200), (ended, 400)):
        answer = call(sandbox, "POST", f"/v1/subscriptions/{one}", {"description": "", "metadata": ""})
        assert answer.status_code == status
    assert call(sandbox, "GET", f"/v1/subscriptions/{living}").json()["metadata"] == {}
    how = {"cancellation_details[comment]": ""}
    assert call(sandbox, "POST", f"/v1/subscriptions/{ended}", how).status_code == 200
    before = sandbox.remains(person["customer_id"])["stripe"]
    call(sandbox, "DELETE", f"/v1/customers/{customer}")
    # The customer, its card and two subscriptions without a word are gone; the one that tells of a person is not.
    assert sandbox.remains(person["customer_id"])["stripe"] == before - 4


def test_an_invoice_shows_the_first_of_its_payments_and_a_list_has_all(sandbox: Running) -> None:
    customer = payer(sandbox, "paid in parts")["customers"][0]
    (invoice,) = listed(sandbox, f"/v1/invoices?customer={customer}&expand[]=data.payments")
    assert (len(invoice["payments"]["data"]), invoice["payments"]["has_more"]) == (10, True)
    path = f"/v1/invoice_payments?invoice={invoice['id']}"
    first = call(sandbox, "GET", f"{path}&limit=7").json()
    rest = call(sandbox, "GET", f"{path}&starting_after={first['data'][-1]['id']}").json()
    assert (len(first["data"]), first["has_more"], len(rest["data"]), rest["has_more"]) == (7, True, 5, False)
    assert call(sandbox, "GET", "/v1/invoice_payments?invoice=in_x").status_code == 400


def test_what_was_begun_and_not_paid_is_nothing_that_law_keeps(sandbox: Running) -> None:
    person = payer(sandbox, "began to pay")
    customer = person["customers"][0]
    states = {
        path: [one["status"] for one in listed(sandbox, f"/v1/{path}?customer={customer}")]
        for path in ("payment_intents", "setup_intents", "checkout/sessions")
    }
    assert states == {
        "payment_intents": ["requires_payment_method", "succeeded"],
        "setup_intents": ["requires_payment_method"],
        "checkout/sessions": ["expired", "open"],
    }
    assert None in {one["payment_intent"] for one in listed(sandbox, f"/v1/charges?customer={customer}")}
    assert sandbox.remains(person["customer_id"])["stripe_kept"] == 0
