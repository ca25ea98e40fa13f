"""What may be filed beyond its shape: spelling of identities, the time of receipt, identities said twice."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.http import RequestIn
from habeas.vocabulary import Right
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.domain.intake import OFFERED, Offer, Unacceptable, accept, distinct, is_email

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def request(**changes: Any) -> RequestIn:
    return RequestIn.model_validate({**copy.deepcopy(REQUEST), **changes})


def with_identity(kind: str, value: str) -> RequestIn:
    return request(subject={"identities": [{"type": kind, "value": value}]})


@pytest.mark.parametrize(
    "address",
    ["jane@example.com", "j@a.io", "jane+tag@mail.example.co.uk", "j.d@xn--bcher-kva.example", "józef@bücher.example"],
)
def test_addresses(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "text",
    [
        "", "jane", "jane@", "@example.com", "jane@example", "jane@@example.com", "jane@example..com", ".jane@a.com",
        "jane.@a.com", "ja..ne@a.com", "jane@-a.com", "jane@a-.com", "Jane <jane@a.com>", "jane@a.com,joe@a.com",
        "jane @a.com", "jane@a.com\n", "jane@a.com\r\nBcc: x@a.com", '"jane"@a.com', "x" * 65 + "@a.com",
        "jane@" + "a." * 130 + "com",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert not is_email(text)


@given(st.text(max_size=80))
def test_a_line_break_or_list_never_passes_for_an_address(text: str) -> None:
    assert not is_email(f"{text}\n@a.com")
    assert not is_email(f"jane@a.com,{text}")


@pytest.mark.parametrize("number", ["+31201234567", "+15551234567", "+1234567"])
def test_phone_numbers(number: str) -> None:
    assert accept(with_identity("phone", number), now=NOW) == NOW


@pytest.mark.parametrize(
    "number", ["0201234567", "+0201234567", "+31 20 1234567", "+123456", "+1234567890123456", "+31201234567\u0660"]
)
def test_what_is_no_phone_number(number: str) -> None:
    with pytest.raises(Unacceptable) as refused:
        accept(with_identity("phone", number), now=NOW)
    assert [error.pointer for error in refused.value.errors] == ["/subject/identities/0/value"]
    assert number not in str(refused.value.errors)


def test_all_that_is_wrong_is_said_at_once() -> None:
    body = request(
        subject={"identities": [{"type": "email", "value": "x"}], "contact": {"email": "y@y"}},
        received_at="2020-01-01T00:00:00Z",
    )
    with pytest.raises(Unacceptable) as refused:
        accept(body, now=NOW)
    assert [error.pointer for error in refused.value.errors] == [
        "/subject/identities/0/value", "/subject/contact/email", "/received_at",
    ]  # fmt: skip


@pytest.mark.parametrize("right", [right for right in Right if right not in OFFERED])
def test_a_right_that_is_not_offered_is_refused_and_says_which_are(right: Right) -> None:
    with pytest.raises(Unacceptable) as refused:
        accept(request(right=right), now=NOW)
    assert refused.value.code == "right_not_offered"
    assert "erasure" in refused.value.errors[0].detail


@pytest.mark.parametrize(
    ("received", "counts_as"),
    [
        (None, NOW),
        (NOW - timedelta(days=300), NOW - timedelta(days=300)),
        (NOW + timedelta(seconds=60), NOW),  # clocks differ a little
        (NOW + timedelta(seconds=61), None),
        (NOW - timedelta(days=366), NOW - timedelta(days=366)),
        (NOW - timedelta(days=366, seconds=1), None),
        (NOW.replace(tzinfo=None), None),
    ],
)
def test_the_time_of_receipt(received: datetime | None, counts_as: datetime | None) -> None:
    body = request(received_at=received)
    if counts_as is None:
        with pytest.raises(Unacceptable):
            accept(body, now=NOW)
    else:
        assert accept(body, now=NOW) == counts_as


def test_an_identity_said_twice_is_one_and_the_first_spelling_stays() -> None:
    body = request(
        subject={
            "identities": [
                {"type": "email", "value": "Jane@Example.com"},
                {"type": "customer_id", "value": "c-42"},
                {"type": "email", "value": "jane@example.com"},
                {"type": "customer_id", "value": "C-42"},
            ]
        }
    )
    assert [one.value for one in distinct(body.subject)] == ["Jane@Example.com", "c-42", "C-42"]


def rectifying(*corrections: dict[str, str], right: str = "rectification") -> RequestIn:
    return request(right=right, rectification={"corrections": corrections})


def refused(body: RequestIn, offer: Offer | None = None) -> tuple[str, list[str]]:
    """Return the code and the pointers with which a body is refused."""
    with pytest.raises(Unacceptable) as error:
        accept(body, now=NOW, offer=offer or Offer())
    shown = str(error.value) + str(error.value.errors)
    assert "squirrel" not in shown
    return error.value.code, [one.pointer for one in error.value.errors]


@pytest.mark.parametrize(
    "correction",
    [
        {"field": "contact.email", "to": "jane@example.org"},
        {"field": "contact.email", "from": "not an address", "to": "jane@example.org"},  # that is what is wrong
        {"field": "contact.phone", "from": "0201234567", "to": "+31201234567"},
        {"field": "contact.name", "from": "jane", "to": "Jane"},
        {"field": "billing.address.street", "to": "Keizersgracht 1"},
    ],
)
def test_what_can_be_corrected(correction: dict[str, str]) -> None:
    assert accept(rectifying(correction), now=NOW) == NOW


def test_all_corrections_that_are_wrong_are_said_at_once() -> None:
    body = rectifying(
        {"field": "contact.email", "to": "squirrel"},
        {"field": "contact.phone", "to": "squirrel"},
        {"field": "contact.name", "from": "squirrel", "to": "squirrel"},
        {"field": "contact.name", "to": "squirrel\x07"},
        {"field": "contact.customer_id", "from": "squirrel\x07", "to": "x"},
    )
    places = ["0/to", "1/to", "2/to", "3/field", "3/to", "4/from"]
    assert refused(body) == ("validation_failed", [f"/rectification/corrections/{one}" for one in places])


@pytest.mark.parametrize("right", [right for right in OFFERED if right is not Right.RECTIFICATION])
def test_corrections_go_with_their_right_alone(right: Right) -> None:
    body = rectifying({"field": "contact.name", "to": "squirrel"}, right=right)
    assert refused(body) == ("validation_failed", ["/rectification"])


def test_a_rectification_says_what() -> None:
    assert refused(request(right="rectification")) == ("validation_failed", ["/rectification"])


def test_a_field_that_nobody_knows_is_refused_once_anybody_could_know_it() -> None:
    body = rectifying({"field": "contact.name", "to": "Jane"}, {"field": "contact.shoe_size", "to": "squirrel"})
    assert accept(body, now=NOW, offer=Offer(fields=None)) == NOW
    offer = Offer(fields=frozenset({"contact.name"}))
    assert refused(body, offer) == ("field_unknown", ["/rectification/corrections/1/field"])
    assert refused(body, Offer(fields=frozenset())) == (
        "field_unknown", ["/rectification/corrections/0/field", "/rectification/corrections/1/field"]
    )  # fmt: skip


def test_without_a_place_for_copies_there_are_none() -> None:
    assert accept(request(right="access"), now=NOW, offer=Offer(exports=True)) == NOW
    assert refused(request(right="access"), Offer(exports=False)) == ("right_not_offered", ["/right"])
