"""Stripe: what people paid, what law keeps of it, what is redacted and what stays, against the sandbox."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from habeas.engine import Again, Park, Settled
from habeas.sdk import Action, Disposition, Identity, IdentityType, Record
from habeas.testing import MemoryExports, Time
from habeas.vocabulary import AttentionReason
from tests.conformance.sandbox import known_by
from tests.conformance.stripe_vendor import RedactingVendor, StripeVendor, Told, lines_of, trial

PREVIEW = "2026-06-24.preview"

GONE: Told = {
    ("customer", Disposition.ERASED, 1, None),
    ("payment_methods", Disposition.ERASED, 1, None),
    ("subscriptions", Disposition.ANONYMISED, 1, None),  # it has ended, and says nothing
    ("drafts", Disposition.ERASED, 1, None),
}
KEPT: Told = {
    ("invoices", Disposition.RETAINED, 2, "tax_law"),
    ("charges", Disposition.RETAINED, 2, "tax_law"),
}


async def test_a_kept_invoice_does_not_keep_its_customer(deleting: StripeVendor) -> None:
    person = deleting.somebody("")
    stay: Told = {(category, Disposition.REFUSED, 1, "cannot_be_deleted") for category in ("invoices", "charges")}
    assert lines_of(await trial(deleting, person).finish()) == GONE | KEPT | stay
    answer = deleting.ask("GET", f"/v1/customers/{person['customers'][0]}")
    assert (answer.status_code, answer.json()["deleted"]) == (200, True)


async def test_what_no_law_keeps_is_redacted_and_what_law_keeps_is_not(redacting: RedactingVendor) -> None:
    person = redacting.somebody("")
    gone: Told = {(category, Disposition.ANONYMISED, 1, None) for category in ("invoices", "charges")}
    assert lines_of(await trial(redacting, person).finish()) == GONE | KEPT | gone
    assert redacting.left(known_by(person)) == (0, 6)  # two invoices, their charges and their intents
    done = [one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"])]
    assert "customer.redact" not in done
    assert done.count("invoice.redact") == 1


async def test_everything_of_a_customer_goes_in_one_job_when_nothing_is_kept(redacting: RedactingVendor) -> None:
    person = redacting.somebody("only old invoices")
    await trial(redacting, person).finish()
    done = [one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"])]
    assert (done.count("redaction_job.create"), done.count("customer.redact"), done.count("invoice.redact")) == (
        1,
        1,
        2,
    )
    assert "customer.delete" not in done


async def test_more_than_ten_payments_take_more_than_one_job(redacting: RedactingVendor) -> None:
    person = redacting.somebody("many old invoices")
    told = lines_of(await trial(redacting, person).finish())
    assert told >= {(category, Disposition.ANONYMISED, 12, None) for category in ("invoices", "charges")}
    done = [one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"])]
    assert (done.count("redaction_job.run"), done.count("invoice.redact"), done.count("charge.redact")) == (2, 12, 12)
    assert redacting.left(known_by(person)) == (0, 0)


async def test_a_payment_of_last_week_is_kept_until_the_vendor_lets_it_go(redacting: RedactingVendor) -> None:
    asked = datetime.now(UTC)
    person = redacting.somebody("paid last week")
    told = datetime.now(UTC)
    verdict = await trial(redacting, person, retention=()).finish()
    assert isinstance(verdict, Settled)
    kept = {(one.category, one.until, one.ground) for one in verdict.lines if one.disposition is Disposition.RETAINED}
    until = {day.date() - timedelta(days=7) + timedelta(days=90) for day in (asked, told)}  # two where it was midnight
    assert kept in [{(category, day, "fraud_prevention") for category in ("invoices", "charges")} for day in until]
    assert lines_of(verdict) >= GONE


@pytest.mark.parametrize(("payer", "word"), [("open invoice", "open_invoice"), ("disputed payment", "open_dispute")])
async def test_what_blocks_a_redaction_is_told_by_a_word(redacting: RedactingVendor, payer: str, word: str) -> None:
    person = redacting.somebody(payer)
    told = lines_of(await trial(redacting, person, retention=()).finish())
    assert word in {reason for _, disposition, _, reason in told if disposition is Disposition.REFUSED}
    assert ("customer", Disposition.ERASED, 1, None) in told
    assert ("charges", Disposition.ANONYMISED, 1, None) in told


async def test_what_validation_alone_finds_is_told_by_the_vendors_word(redacting: RedactingVendor) -> None:
    """By a clock of next year the payment is old enough; by the vendor's it is not."""
    person = redacting.somebody("paid last week")
    later = Time(datetime.now(UTC) + timedelta(days=365))
    told = lines_of(await trial(redacting, person, retention=(), clock=later).finish())
    words = {reason for _, disposition, _, reason in told if disposition is Disposition.REFUSED}
    assert words == {"invalid_cascading_source"}
    assert ("customer", Disposition.ERASED, 1, None) in told
    assert ("invoices", Disposition.ANONYMISED, 1, None) in told


async def test_a_slow_job_is_waited_for_over_restarts(redacting: RedactingVendor) -> None:
    person = redacting.somebody("only old invoices")
    redacting.knobs(job_seconds=3_600)
    one = trial(redacting, person)
    for _ in range(3):
        verdict = await one.run()
        assert isinstance(verdict, Again), verdict
        assert (verdict.reason, verdict.counts) == ("redaction_job", False)
        one.clock.advance(timedelta(seconds=verdict.after or 1))
    redacting.knobs(job_seconds=0)
    assert {disposition for _, disposition, *_ in lines_of(await one.finish())} <= {
        Disposition.ANONYMISED,
        Disposition.ERASED,
    }
    done = [one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"])]
    assert (done.count("redaction_job.create"), done.count("redaction_job.run")) == (1, 1)


async def test_a_job_that_never_ends_calls_for_a_person(redacting: RedactingVendor) -> None:
    redacting.knobs(job_seconds=10**9)
    one = trial(redacting, redacting.somebody("only old invoices"))
    await one.run()
    one.clock.advance(timedelta(days=8))
    verdict = await one.run()
    assert isinstance(verdict, Park)
    assert verdict.attention is AttentionReason.KEEPS_FAILING
    await redacting.calm()


@pytest.mark.parametrize("path", ["POST /stripe/v1/privacy/redaction_jobs", "/run"])
async def test_a_lost_answer_begins_no_second_job(redacting: RedactingVendor, path: str) -> None:
    person = redacting.somebody("only old invoices")
    redacting.knobs(drop_reply=1, only=path, times=1)
    await trial(redacting, person).finish()
    done = [one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"])]
    assert (done.count("redaction_job.create"), done.count("redaction_job.run")) == (1, 1)


async def test_a_job_that_somebody_cancelled_is_begun_anew(redacting: RedactingVendor) -> None:
    person = redacting.somebody("only old invoices")
    one = trial(redacting, person)
    await one.run()
    newest = redacting.ask("GET", "/v1/privacy/redaction_jobs?limit=1", version=PREVIEW).json()["data"][0]
    path = f"/v1/privacy/redaction_jobs/{newest['id']}/cancel"
    assert redacting.ask("POST", path, version=PREVIEW).json()["status"] == "canceled"
    await one.finish()
    assert redacting.left(known_by(person)) == (0, 0)


async def test_another_job_in_the_way_is_waited_for(redacting: RedactingVendor) -> None:
    person = redacting.somebody("only old invoices")
    customer = person["customers"][0]
    charge = redacting.ask("GET", f"/v1/charges?customer={customer}").json()["data"][0]["id"]
    form = {"objects[charges][]": charge}
    theirs = redacting.ask("POST", "/v1/privacy/redaction_jobs", form, version=PREVIEW).json()["id"]
    one = trial(redacting, person)
    for _ in range(4):
        verdict = await one.run()
        assert isinstance(verdict, Again)
        one.clock.advance(timedelta(seconds=verdict.after or 1))
    redacting.ask("POST", f"/v1/privacy/redaction_jobs/{theirs}/cancel", version=PREVIEW)
    await one.finish()
    assert redacting.left(known_by(person)) == (0, 0)


async def test_a_copy_holds_what_hangs_on_invoices_and_charges(deleting: StripeVendor) -> None:
    person = deleting.somebody("two customers under one address")
    exports = MemoryExports()
    verdict = await trial(deleting, person, action=Action.EXPORT, exports=exports).finish()
    assert isinstance(verdict, Settled)
    kinds = [str(one.fields["object"]) for one in exports.finished or () if isinstance(one, Record)]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "charge": 4,
        "credit_note": 1,
        "customer": 2,
        "invoice": 4,
        "invoiceitem": 1,
        "payment_intent": 4,
        "payment_method": 3,
        "subscription": 1,
    }


async def test_resolves_the_customer_id_of_an_address(deleting: StripeVendor) -> None:
    person = deleting.somebody("")
    verdict = await trial(deleting, person, action=Action.RESOLVE).finish()
    assert isinstance(verdict, Settled)
    assert verdict.identities == (Identity(IdentityType.CUSTOMER_ID, person["customer_id"]),)


async def test_a_wrong_key_parks_the_task(deleting: StripeVendor) -> None:
    person = deleting.somebody("")
    deleting.key = "sk_test_other"
    assert await trial(deleting, person).finish() == Park(AttentionReason.CREDENTIALS_REJECTED, "credentials_rejected")


async def test_what_was_begun_and_a_charge_alone_are_found_beside_each_other(deleting: StripeVendor) -> None:
    person = deleting.somebody("began to pay")
    told = lines_of(await trial(deleting, person, retention=()).finish())
    assert told >= {
        ("attempts", Disposition.REFUSED, 4, "cannot_be_deleted"),
        ("charges", Disposition.REFUSED, 2, "cannot_be_deleted"),
    }


async def test_what_was_begun_is_ended_and_redacted(redacting: RedactingVendor) -> None:
    person = redacting.somebody("began to pay")
    told = lines_of(await trial(redacting, person, retention=()).finish())
    assert told >= {("attempts", Disposition.ANONYMISED, 4, None), ("charges", Disposition.ANONYMISED, 2, None)}
    assert redacting.left(known_by(person)) == (0, 0)
    done = Counter(one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"]))
    ended = ("payment_intent.cancel", "setup_intent.cancel", "checkout.session.expire")
    assert [done[effect] for effect in ended] == [1, 1, 1]


async def test_an_invoice_paid_in_many_parts_is_redacted_with_all_of_them(redacting: RedactingVendor) -> None:
    person = redacting.somebody("paid in parts")
    told = lines_of(await trial(redacting, person).finish())
    assert told >= {("invoices", Disposition.ANONYMISED, 1, None), ("charges", Disposition.ANONYMISED, 12, None)}
    done = [one["effect"] for one in redacting.sandbox.effects("stripe", person["customer_id"])]
    assert (done.count("redaction_job.create"), done.count("charge.redact")) == (1, 12)


async def test_what_a_subscription_says_goes_before_it_ends_with_its_customer(deleting: StripeVendor) -> None:
    person = deleting.somebody("subscription that tells")
    told = lines_of(await trial(deleting, person, retention=()).finish())
    assert ("subscriptions", Disposition.ANONYMISED, 2, None) in told
    held = deleting.ask("GET", f"/v1/subscriptions?customer={person['customers'][0]}&status=all").json()["data"]
    assert {(one["status"], one["description"], bool(one["metadata"])) for one in held} == {("canceled", None, False)}


async def test_what_an_ended_subscription_goes_on_saying_is_told(deleting: StripeVendor) -> None:
    person = deleting.somebody("ended subscription that tells")
    told = lines_of(await trial(deleting, person, retention=()).finish())
    assert told >= {
        ("customer", Disposition.ERASED, 1, None),
        ("subscriptions", Disposition.ANONYMISED, 2, None),
        ("subscriptions", Disposition.REFUSED, 1, "cannot_be_deleted"),
    }
    again = lines_of(await trial(deleting, person, retention=()).finish())
    assert ("subscriptions", Disposition.REFUSED, 1, "cannot_be_deleted") in again


async def test_a_redaction_takes_the_words_of_an_ended_subscription_along(redacting: RedactingVendor) -> None:
    person = redacting.somebody("ended subscription that tells")
    told = lines_of(await trial(redacting, person).finish())
    assert ("subscriptions", Disposition.ANONYMISED, 3, None) in told
    assert redacting.left(known_by(person)) == (0, 0)
