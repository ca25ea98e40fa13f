"""Stripe: what is found of a person, what is told not to have been looked for, and whose it is, against the sandbox."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from habeas.engine import Again, Held, Settled, work
from habeas.sdk import Disposition, Identity, IdentityType
from habeas.testing import MemoryLedger, Time, Trial
from habeas.testing.trial import MOST_RUNS
from habeas.vocabulary import Checked
from services.connectors.domain.held import HeldSubject, kept_of
from tests.conformance.sandbox import Sandbox, known_by
from tests.conformance.stripe_vendor import RedactingVendor, StripeVendor, Told, lines_of, trial


@pytest.mark.parametrize("payer", ["two customers under one address", "address in other letters"])
async def test_every_customer_of_a_person_is_found(deleting: StripeVendor, payer: str) -> None:
    person = deleting.somebody(payer)
    told = lines_of(await trial(deleting, person).finish())
    assert ("customer", Disposition.ERASED, len(person["customers"]), None) in told
    for customer in person["customers"]:
        assert deleting.ask("GET", f"/v1/customers/{customer}").json()["deleted"] is True


async def test_a_customer_in_other_letters_is_not_verified_by_a_search_that_lags(deleting: StripeVendor) -> None:
    person = deleting.somebody("address in other letters")
    deleting.knobs(search_lag=3_600)  # the index goes on telling of it after it was deleted
    assert ("customer", Disposition.ERASED, 1, None) in lines_of(await trial(deleting, person).finish())


@pytest.mark.parametrize(("payer", "records"), [("paid as a guest", 1), ("deleted customer whose invoices remain", 6)])
async def test_what_has_no_live_customer_is_found(deleting: StripeVendor, payer: str, records: int) -> None:
    person = deleting.somebody(payer)
    told = lines_of(await trial(deleting, person).finish())
    assert sum(count for category, _, count, _ in told if category in ("invoices", "charges")) == records
    assert not any(category == "customer" for category, *_ in told)


async def test_what_was_not_looked_for_is_told_and_never_taken_for_nothing(own_account: Sandbox) -> None:
    vendor = StripeVendor(own_account, orphans="report")
    person = vendor.somebody("deleted customer whose invoices remain")
    verdict = await trial(vendor, person).finish()
    assert isinstance(verdict, Settled)
    assert {(line.category, line.disposition, line.checked, line.reason) for line in verdict.lines} >= {
        (category, Disposition.FAILED, Checked.NOT_CHECKABLE, "orphans_not_looked_for")
        for category in ("invoices", "charges")
    }


async def test_a_quote_in_an_address_ends_no_clause_of_a_search(deleting: StripeVendor) -> None:
    deleting.somebody("")
    hostile = Identity(IdentityType.EMAIL, 'x" OR email~"example')
    verdict = await Trial(deleting, (hostile,)).finish()
    assert {line[1] for line in lines_of(verdict)} == {Disposition.NOT_FOUND}


async def test_pages_are_followed_to_their_end(deleting: StripeVendor) -> None:
    person = deleting.somebody("many old invoices")
    deleting.knobs(page_cap=3)
    told = lines_of(await trial(deleting, person).finish())
    assert ("invoices", Disposition.REFUSED, 12, "cannot_be_deleted") in told


@pytest.mark.parametrize("payer", ["", "paid by a saved card"])
async def test_whose_a_record_is_can_be_told_when_nothing_but_the_hold_is_known(
    redacting: RedactingVendor, payer: str
) -> None:
    """The customer is gone when a hold ends, and whoever filed the request may have named the customer id first."""
    person = redacting.somebody(payer)
    one = trial(redacting, person, identities=tuple(reversed(known_by(person))))
    await one.finish()
    assert redacting.left(known_by(person)) == (0, 6)
    assert await _hold_ended(redacting, one) == {
        ("invoices", Disposition.ANONYMISED, 2, None),
        ("charges", Disposition.ANONYMISED, 2, None),
    }
    assert redacting.left(known_by(person)) == (0, 0)


async def _hold_ended(vendor: StripeVendor, before: Trial) -> Told:
    """Return what comes of what `before` kept when its time is over, by somebody who knows the hold alone."""
    kept = [one for group in kept_of(before.ledger.items.values(), (), key=b"k" * 32) for one in group.items]
    held = Held([one.item for one in kept], HeldSubject(kept).owns)
    clock, ledger = Time(before.clock.now() + timedelta(days=9 * 366)), MemoryLedger()
    task = replace(before.task, id="tsk_end", identities=())
    async with vendor.open() as processor:
        for _ in range(MOST_RUNS):
            verdict = await work(
                task, processor=processor, manifest=vendor.manifest, ledger=ledger, clock=clock, held=held
            )
            if not isinstance(verdict, Again):
                return lines_of(verdict)
            clock.advance(timedelta(seconds=verdict.after or 1))
    raise AssertionError("it did not end")


async def test_a_guests_charge_is_told_by_the_checkout_when_it_names_no_address(deleting: StripeVendor) -> None:
    person = deleting.somebody("paid as a guest who left an address at the checkout alone")
    assert lines_of(await trial(deleting, person).finish()) == {("charges", Disposition.RETAINED, 1, "tax_law")}


def by_id_alone(person: dict[str, Any]) -> tuple[Identity, ...]:
    return (Identity(IdentityType.CUSTOMER_ID, person["customer_id"]),)


def unlisted(verdict: object) -> set[tuple[str, str | None]]:
    assert isinstance(verdict, Settled), verdict
    told = [line for line in verdict.lines if line.disposition is Disposition.FAILED]
    assert {line.checked for line in told} <= {Checked.NOT_CHECKABLE}
    return {(line.category, line.reason) for line in told}


PAYMENTS_UNLISTED = {(category, "orphans_not_looked_for") for category in ("invoices", "charges")}


@pytest.mark.parametrize("orphans", ["walk", "report"])
async def test_without_an_address_nobody_says_that_a_deleted_customer_left_nothing(
    own_account: Sandbox, orphans: str
) -> None:
    vendor = StripeVendor(own_account, orphans=orphans)
    person = vendor.somebody("deleted customer whose invoices remain")
    verdict = await trial(vendor, person, identities=by_id_alone(person)).finish()
    assert unlisted(verdict) == PAYMENTS_UNLISTED
    assert isinstance(verdict, Settled)
    assert not {line.disposition for line in verdict.lines} & {Disposition.NOT_FOUND}


async def test_an_operators_word_that_there_are_no_orphans_is_taken(own_account: Sandbox) -> None:
    vendor = StripeVendor(own_account, orphans="none")
    person = vendor.somebody("nothing paid for")
    verdict = await trial(vendor, person, identities=by_id_alone(person)).finish()
    assert lines_of(verdict) == {("all", Disposition.NOT_FOUND, 0, None)}


async def test_without_search_customers_are_read_through_for_an_id_or_other_letters(own_account: Sandbox) -> None:
    vendor = StripeVendor(own_account, search=False)
    person = vendor.somebody("")
    verdict = await trial(vendor, person, identities=by_id_alone(person)).finish()
    assert isinstance(verdict, Settled)
    assert ("customer", Disposition.ERASED) in {(line.category, line.disposition) for line in verdict.lines}
    shouting = vendor.somebody("address in other letters")
    assert ("customer", Disposition.ERASED, 1, None) in lines_of(await trial(vendor, shouting).finish())


@pytest.mark.parametrize("orphans", ["report", "none"])
async def test_without_search_and_walk_nobody_says_that_an_id_is_unknown(own_account: Sandbox, orphans: str) -> None:
    vendor = StripeVendor(own_account, search=False, orphans=orphans)
    person = vendor.somebody("")
    verdict = await trial(vendor, person, identities=by_id_alone(person)).finish()
    assert unlisted(verdict) >= {("customer", "cannot_be_listed")}
