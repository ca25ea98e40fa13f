"""What Stripe's processor decides by itself: whose a thing is, what belongs together, how a job is begun."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid5

import httpx
import pytest

from habeas.sdk import Context, CredentialsRejected, Http, Identity, IdentityType, Item, Manifest, RetryLater, Wait
from services.connectors.processors.stripe import processor as stripe
from services.connectors.processors.stripe.erasing import Eraser
from services.connectors.processors.stripe.finding import Finder
from services.connectors.processors.stripe.records import Records
from services.connectors.processors.stripe.rectifying import FIELDS
from services.connectors.processors.stripe.redacting import Redaction, Under
from services.connectors.processors.stripe.refs import Ref, ref_of
from services.connectors.processors.stripe.settings import Settings
from services.connectors.processors.stripe.shapes import Thing
from services.connectors.processors.stripe.vendor import Api
from services.connectors.processors.stripe.walking import Walk
from services.connectors.processors.stripe.whose import Owners

MANIFEST = Manifest.load(Path(stripe.__file__).with_name("manifest.toml"))
ANNA = Identity(IdentityType.EMAIL, "anna@example.com")
ID = Identity(IdentityType.CUSTOMER_ID, "c-1")
OWNERS = Owners("customer_id")


class Keys:
    """A context that makes keys and nothing else."""

    def key(self, step: str, item: Item | None = None) -> UUID:
        return uuid5(UUID(int=0), step)


CTX = cast(Context, Keys())


def thing(**body: Any) -> Thing:
    return Thing.model_validate({"id": "in_1", **body})


def invoice(matched: Identity) -> Item:
    return Item("in_1@cus_1+in_1", "invoices", matched)


def test_the_manifest_says_what_the_code_does() -> None:
    assert {key: spec.name for key, spec in MANIFEST.fields.items()} == dict(FIELDS)
    assert {spec.name for spec in MANIFEST.settings} == set(Settings.model_fields)


def test_a_reference_tells_object_customer_and_what_it_can_not_be_parted_from() -> None:
    for text in ("ch_1@cus_1+in_1", "cs_test_a1@+pi_1"):
        assert str(ref_of(Item(text, "charges", ANNA))) == text
    assert ref_of(Item("cus_1", "payment_methods", ANNA)) == Ref("cus_1", "cus_1", "cus_1")
    assert (ref_of(Item("cs_test_a1@+pi_1", "attempts", ANNA)).path, Ref("py_1", "", "py_1").root) == (
        "checkout/sessions",
        "charges",
    )


def test_an_address_is_compared_in_any_letters_and_an_id_as_it_is() -> None:
    held = thing(email="Anna@Example.COM", metadata={"customer_id": "C-1"})
    assert OWNERS.matched([Identity(IdentityType.EMAIL, "ANNA@example.com")], held).value == "ANNA@example.com"
    assert OWNERS.matched([ID], held).value == ""


def test_what_an_object_names_itself_goes_for_what_it_was_found_by() -> None:
    assert OWNERS.now(invoice(ANNA), thing(customer="cus_1", customer_email="anna@example.com"), None) == ANNA


def test_an_object_that_names_somebody_else_is_somebody_elses() -> None:
    live = thing(id="cus_1", email="bram@example.com")
    found = OWNERS.now(invoice(ANNA), thing(customer="cus_1", customer_email="bram@example.com"), live)
    assert found.value == "bram@example.com"


def test_an_old_invoice_of_a_customer_whose_address_was_corrected_is_still_theirs() -> None:
    corrected = Identity(IdentityType.EMAIL, "new@example.com")
    old, live = thing(customer="cus_1", customer_email="anna@example.com"), thing(id="cus_1", email="new@example.com")
    assert OWNERS.now(invoice(corrected), old, live) == corrected
    assert OWNERS.now(invoice(corrected), old, thing(id="cus_1", deleted=True)) == corrected


@pytest.mark.parametrize("matched", [ANNA, ID])
def test_a_record_that_names_nobody_stays_with_the_customer_that_was_deleted(matched: Identity) -> None:
    gone = thing(id="cus_1", deleted=True)
    assert OWNERS.now(invoice(matched), thing(customer="cus_1"), gone) == matched
    assert OWNERS.now(invoice(matched), thing(customer="cus_2"), gone).value == ""


def test_when_only_the_hold_is_known_the_address_on_the_invoice_tells() -> None:
    blank = Identity(IdentityType.EMAIL, "")
    named = thing(customer="cus_1", customer_email="anna@example.com")
    assert OWNERS.now(invoice(blank), named, thing(id="cus_1", deleted=True)) == ANNA
    assert OWNERS.now(invoice(blank), thing(customer="cus_1"), thing(id="cus_1", deleted=True)) == blank


def test_a_record_that_names_nobody_is_told_by_what_stands_beside_it() -> None:
    blank, gone = Identity(IdentityType.EMAIL, ""), thing(id="cus_1", deleted=True)
    charge, paid = thing(id="ch_1", customer="cus_1"), thing(customer="cus_1", customer_email="anna@example.com")
    held = Item("ch_1@cus_1+in_1", "charges", blank)
    assert OWNERS.now(held, charge, gone, paid) == ANNA
    assert OWNERS.matched([ID, ANNA], charge, paid) == ANNA


def test_an_address_goes_before_an_id_for_records_name_nothing_else() -> None:
    assert OWNERS.matched([ID, ANNA], thing(email="anna@example.com", metadata={"customer_id": "c-1"})) == ANNA


def test_what_no_charge_led_to_is_told_beside_a_charge_without_intent() -> None:
    records = Records(
        charges=[thing(id="ch_1"), thing(id="ch_2", payment_intent="pi_2")],
        sessions=[thing(id="cs_1"), thing(id="cs_2", payment_intent="pi_2")],
    )
    assert [item.ref for item in records.items(lambda *_: ANNA)] == ["ch_1@+ch_1", "ch_2@+pi_2", "cs_1@+cs_1"]


@pytest.mark.parametrize("row", [{"receipt_email": 5}, {"billing_details": "anna"}, {"metadata": ["customer_id"]}])
async def test_on_a_walk_what_nobody_can_be_named_by_is_no_answer(row: dict[str, Any]) -> None:
    with pytest.raises(RetryLater, match="unreadable_answer"):
        await walked({"id": "ch_1", **row})


async def test_a_walk_compares_addresses_in_any_letters_and_ids_as_they_are() -> None:
    theirs = {"billing_details": {"email": " ANNA@example.com"}}
    other = {"customer_email": "bram@example.com", "metadata": {"customer_id": "C-1"}}
    found = await walked({"id": "ch_1", **theirs}, {"id": "ch_2", **other}, {"id": "ch_3", "metadata": None})
    assert [(thing.id, matched) for thing, matched in found] == [("ch_1", ANNA)]


async def walked(*rows: dict[str, Any]) -> list[tuple[Thing, Identity]]:
    answer = httpx.Response(200, json={"data": list(rows), "has_more": False})
    http = Http(base_url="http://billing.invalid", transport=httpx.MockTransport(lambda _: answer))
    return await Walk(Api(http, key="k", version="2026-10-28.endive"), OWNERS, [ID, ANNA]).through("charges")


def redaction(*answers: tuple[int, object]) -> tuple[Redaction, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        status, body = answers[min(len(seen), len(answers)) - 1]
        return httpx.Response(status, json=body)

    http = Http(base_url="http://billing.invalid", transport=httpx.MockTransport(answer))
    return Redaction(Api(http, key="k", version="2026-06-24.preview")), seen


def job(number: int, status: str, **more: Any) -> tuple[int, object]:
    return 200, {"id": f"prj_{number}", "status": status, "created": 1, **more}


async def test_an_account_without_the_preview_is_told_apart_from_a_job_that_is_gone() -> None:
    unknown = {"error": {"type": "invalid_request_error", "message": "Unrecognized request URL"}}
    calls, _ = redaction((404, unknown))
    with pytest.raises(CredentialsRejected, match="redaction_not_enabled"):
        await calls.begin(CTX, [("customers", "cus_1")])


async def test_a_key_that_tells_of_a_job_that_is_over_is_followed_by_another_key() -> None:
    calls, seen = redaction(job(1, "validating"), job(1, "canceled"), job(2, "validating"), job(2, "ready"))
    assert await calls.begin(CTX, [("customers", "cus_1")]) == "prj_2"
    posts = [one.headers["idempotency-key"] for one in seen if one.method == "POST"]
    assert len(set(posts)) == len(posts) == 2


async def test_jobs_that_end_at_once_are_not_begun_for_ever() -> None:
    calls, _ = redaction(job(1, "canceled"))
    with pytest.raises(RetryLater, match="jobs_keep_ending"):
        await calls.begin(CTX, [("customers", "cus_1")])


@pytest.mark.parametrize("status", ["created", "validating", "redacting", "succeeded"])
async def test_a_job_is_cancelled_only_where_it_is_ready_or_failed(status: str) -> None:
    calls, seen = redaction(job(1, status))
    held = await calls.job("prj_1")
    assert held is not None
    with pytest.raises(RetryLater):
        await calls.cancel(CTX, held)
    assert [one.method for one in seen] == ["GET"]


async def test_a_job_over_things_of_others_too_is_not_taken_for_ours() -> None:
    listed = {
        "data": [job(1, "ready", objects={"customers": ["cus_1", "cus_2"]})[1], job(2, "ready", objects=None)[1]],
        "has_more": False,
    }
    calls, _ = redaction((200, listed))
    assert await calls.under_way({("customers", "cus_1")}) is None
    found = await calls.under_way({("customers", "cus_1"), ("customers", "cus_2")})
    assert found is not None
    assert found[0].id == "prj_1"


def test_a_wait_remembers_all_that_its_end_decides() -> None:
    under = Under("prj_1", "2026-01-01T00:00:00+00:00", [("invoices", "in_1@+in_1")], [("invoices", "in_1")])
    text = '{"job": "prj_1", "since": "2026-01-01T00:00:00+00:00", "items": [["invoices", "in_1@+in_1"]], '
    text += '"roots": [["invoices", "in_1"]], "done": [], "polls": 0}'
    at = datetime.fromisoformat(under.since)
    assert Under.read(Wait(text, at, at, "redaction_job")) == under


async def test_an_address_is_asked_for_as_given_and_in_small_letters() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/customers":
            asked.append(request.url.params["email"])
        return httpx.Response(200, json={"object": "list", "data": [], "has_more": False, "url": request.url.path})

    async with Http(base_url="http://billing.invalid", transport=httpx.MockTransport(answer)) as http:
        settings = Settings.model_validate({"key": "k"})
        given = Identity(IdentityType.EMAIL, "Anna@Example.com")
        finder = Finder(Api(http, key="k", version="2026-10-28.endive"), settings, [given])
        assert [one async for one in finder.located(strongly=True)] == []
    assert asked == ["Anna@Example.com", "anna@example.com"]


class Clocked(Keys):
    """A context that makes keys and knows the time."""

    def now(self) -> datetime:
        return datetime(2026, 1, 8, 1, tzinfo=UTC)


async def test_a_job_that_failed_without_a_word_is_validated_again_until_it_is_overdue() -> None:
    """More than a week after it began: what is waited for is over, so that the engine calls a person."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        listing = request.url.path.endswith("validation_errors")
        failed = {"id": "prj_1", "status": "failed", "created": 1}
        return httpx.Response(200, json={"data": [], "has_more": False} if listing else failed)

    async with Http(base_url="http://billing.invalid", transport=httpx.MockTransport(answer)) as http:
        api, ctx = Api(http, key="k", version="2026-06-24.preview"), cast(Context, Clocked())
        finder = Finder(api, Settings.model_validate({"key": "k"}), [ANNA])
        eraser = Eraser(ctx, api, finder, Redaction(api), poll=5.0)
        begun = Under("prj_1", "2026-01-01T00:00:00+00:00", [("invoices", "in_1@+in_1")], [("invoices", "in_1")])
        still = await eraser.resume(begun.wait(ctx, seconds=5.0))
    assert isinstance(still, Wait)
    assert still.expect_by == datetime(2026, 1, 8, tzinfo=UTC) < ctx.now() < still.check_at
    assert asked == ["GET prj_1", "GET validation_errors", "POST validate"]
