"""Stripe's redaction jobs: created, validated, run; what blocks them, and what they take along."""

from typing import Any

import httpx
import pytest

from tests.integration.services.sandbox.conftest import Running
from tests.integration.services.sandbox.stripe_calls import PREVIEW, call, jobs, listed, payer


def old(sandbox: Running) -> tuple[dict[str, Any], str]:
    """A person whose payments are all old, and their customer, whose subscription has ended."""
    person = payer(sandbox, "only old invoices")
    customer = person["customers"][0]
    for one in listed(sandbox, f"/v1/subscriptions?customer={customer}"):
        call(sandbox, "DELETE", f"/v1/subscriptions/{one['id']}")
    for one in listed(sandbox, f"/v1/invoiceitems?customer={customer}"):
        call(sandbox, "DELETE", f"/v1/invoiceitems/{one['id']}")
    return person, customer


def begin(sandbox: Running, kind: str, *ids: str, **more: str) -> dict[str, Any]:
    form = {f"objects[{kind}][]": list(ids), "validation_behavior": "fix", **more}
    job: dict[str, Any] = jobs(sandbox, "POST", form=form)
    return job


def status(sandbox: Running, job: dict[str, Any]) -> str:
    return str(jobs(sandbox, "GET", f"/{job['id']}")["status"])


def test_a_job_goes_its_way_and_takes_along_all_that_hangs_on_its_root(sandbox: Running) -> None:
    person, customer = old(sandbox)
    job = begin(sandbox, "customers", customer)
    assert (job["object"], job["status"]) == ("privacy.redaction_job", "created")
    assert status(sandbox, job) == "ready"
    assert jobs(sandbox, "POST", f"/{job['id']}/run")["status"] == "redacting"
    assert status(sandbox, job) == "succeeded"
    shown = call(sandbox, "GET", f"/v1/customers/{customer}", stripe_version=PREVIEW).json()
    assert (shown["name"], shown["email"], shown["redaction"]) == ("[redacted]", "[redacted]", {"status": "redacted"})
    for invoice in listed(sandbox, f"/v1/invoices?customer={customer}"):
        assert (invoice["customer_email"], invoice["total"], "redaction" in invoice) == ("[redacted]", 1_900, False)
    left = sandbox.remains(person["customer_id"])
    assert (left["stripe"], left["stripe_kept"]) == (0, 0)
    done = [one["effect"] for one in sandbox.effects("stripe") if one["effect"].endswith(".redact")]
    assert (done.count("invoice.redact"), done.count("charge.redact"), done.count("customer.redact")) == (2, 2, 1)


def test_an_invoice_takes_its_own_payment_along_and_no_other(sandbox: Running) -> None:
    _, customer = old(sandbox)
    first, second = listed(sandbox, f"/v1/invoices?customer={customer}")
    job = begin(sandbox, "invoices", first["id"])
    assert status(sandbox, job) == "ready"
    jobs(sandbox, "POST", f"/{job['id']}/run")
    assert status(sandbox, job) == "succeeded"
    names = [one["billing_details"]["name"] for one in listed(sandbox, f"/v1/charges?customer={customer}")]
    assert sorted(name == "[redacted]" for name in names) == [False, True]
    assert call(sandbox, "GET", f"/v1/invoices/{second['id']}").json()["customer_name"] != "[redacted]"
    assert call(sandbox, "GET", f"/v1/customers/{customer}").json()["name"] != "[redacted]"


def test_without_the_preview_there_is_no_such_url(sandbox: Running) -> None:
    _, customer = old(sandbox)
    answer = call(sandbox, "POST", "/v1/privacy/redaction_jobs", {"objects[customers][]": customer})
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "payer_kind", "codes"),
    [
        ("customers", "paid last week", {"invalid_cascading_source"}),
        ("customers", "open invoice", {"invalid_cascading_source"}),
        ("invoices", "open invoice", {"invalid_state"}),
        ("customers", "disputed payment", {"invalid_cascading_source"}),
    ],
)
def test_validation_says_by_a_word_what_is_in_the_way(
    sandbox: Running, kind: str, payer_kind: str, codes: set[str]
) -> None:
    customer = payer(sandbox, payer_kind)["customers"][0]
    ids = (
        [customer]
        if kind == "customers"
        else [listed(sandbox, f"/v1/invoices?customer={customer}&status=open")[0]["id"]]
    )
    job = begin(sandbox, kind, *ids)
    assert status(sandbox, job) == "failed"
    problems = jobs(sandbox, "GET", f"/{job['id']}/validation_errors")["data"]
    assert {one["code"] for one in problems} == codes
    assert all(one["erroring_object"]["id"] and one["object"].endswith("validation_error") for one in problems)


def test_without_fix_even_a_card_is_in_the_way(sandbox: Running) -> None:
    _, customer = old(sandbox)
    assert status(sandbox, begin(sandbox, "customers", customer, validation_behavior="error")) == "failed"


def test_two_jobs_can_not_have_one_object(sandbox: Running) -> None:
    _, customer = old(sandbox)
    first = begin(sandbox, "customers", customer)
    assert status(sandbox, first) == "ready"
    second = begin(sandbox, "customers", customer)
    assert status(sandbox, second) == "failed"
    problems = jobs(sandbox, "GET", f"/{second['id']}/validation_errors")["data"]
    assert {one["code"] for one in problems} == {"locked_by_other_job"}
    assert jobs(sandbox, "POST", f"/{first['id']}/cancel")["status"] == "canceled"
    assert jobs(sandbox, "POST", f"/{second['id']}/validate")["status"] == "validating"
    assert status(sandbox, second) == "ready"


def test_a_job_is_cancelled_from_ready_or_failed_alone(sandbox: Running) -> None:
    _, customer = old(sandbox)
    sandbox.turn("stripe", job_seconds=3_600)
    job = begin(sandbox, "customers", customer)
    for verb in ("cancel", "run", "validate"):
        assert "error" in jobs(sandbox, "POST", f"/{job['id']}/{verb}")
    sandbox.turn("stripe", job_seconds=0)
    assert status(sandbox, job) == "ready"
    assert jobs(sandbox, "POST", f"/{job['id']}/cancel")["status"] == "canceled"
    for verb in ("cancel", "run", "validate"):
        assert "error" in jobs(sandbox, "POST", f"/{job['id']}/{verb}")


def test_a_slow_job_takes_its_time(sandbox: Running) -> None:
    _, customer = old(sandbox)
    sandbox.turn("stripe", job_seconds=3_600)
    job = begin(sandbox, "customers", customer)
    assert status(sandbox, job) == "validating"
    sandbox.turn("stripe", job_seconds=0)
    assert status(sandbox, job) == "ready"


def test_ten_roots_and_no_more(sandbox: Running) -> None:
    customer = payer(sandbox, "many old invoices")["customers"][0]
    ids = [one["id"] for one in listed(sandbox, f"/v1/invoices?customer={customer}&limit=100")]
    assert "error" in begin(sandbox, "invoices", *ids[:11])
    assert begin(sandbox, "invoices", *ids[:10])["id"].startswith("prj_")
    for kind, one in (("invoices", "in_x"), ("subscriptions", "sub_x")):
        assert "error" in begin(sandbox, kind, one)


def test_a_lie_says_done_and_redacts_nothing(sandbox: Running) -> None:
    person, customer = old(sandbox)
    before = sandbox.remains(person["customer_id"])["stripe"]
    sandbox.turn("stripe", lie=1)
    job = begin(sandbox, "customers", customer)
    assert status(sandbox, job) == "ready"
    jobs(sandbox, "POST", f"/{job['id']}/run")
    assert status(sandbox, job) == "succeeded"
    assert sandbox.remains(person["customer_id"])["stripe"] == before
    assert [one["changed"] for one in sandbox.effects("stripe") if one["effect"] == "redaction_job.run"] == [False]


def test_jobs_are_listed_with_their_objects_when_asked(sandbox: Running) -> None:
    _, customer = old(sandbox)
    job = begin(sandbox, "customers", customer)
    plain: httpx.Response = jobs(sandbox, "GET")
    assert [(one["id"], one["objects"]) for one in plain["data"]] == [(job["id"], None)]  # type: ignore[index]
    expanded = jobs(sandbox, "GET", "?expand[]=data.objects")
    assert expanded["data"][0]["objects"] == {"customers": [customer]}
