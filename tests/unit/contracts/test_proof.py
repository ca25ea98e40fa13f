"""The proof header reads in one form only, and no two messages share what is signed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.proof import MalformedProof, kid_of, parse, processor_of, render, signing_input

MAC = bytes(range(32))


def test_a_header_comes_out_as_it_went_in() -> None:
    assert parse(render("crm-eu/12", MAC)) == ("crm-eu/12", MAC)


@given(mac=st.binary(min_size=32, max_size=32))
def test_every_mac_can_be_carried(mac: bytes) -> None:
    assert parse(render("files/1", mac)) == ("files/1", mac)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "v2" + render("crm-eu/1", MAC)[2:],
        render("crm-eu/0", MAC),
        render("Crm/1", MAC),
        render("crm-eu/1", MAC[:31]),
        render("crm-eu/1", MAC) + "=",
        render("crm-eu/1", MAC) + "\n",
        " " + render("crm-eu/1", MAC),
    ],
)
def test_other_forms_are_refused(value: str | None) -> None:
    with pytest.raises(MalformedProof):
        parse(value)


TEXT = st.text(alphabet="ab_/", max_size=3)
MESSAGE = st.fixed_dictionaries(
    {
        "kid": TEXT,
        "topic": TEXT,
        "key": st.binary(max_size=3),
        "headers": st.dictionaries(TEXT.map("ce_{}".format), TEXT, max_size=2),
        "body": st.binary(max_size=3),
    }
)


@given(one=MESSAGE, other=MESSAGE)
def test_no_two_messages_are_signed_alike(one: dict[str, object], other: dict[str, object]) -> None:
    assert (signing_input(**one) == signing_input(**other)) is (one == other)  # type: ignore[arg-type]  # drawn by name


def test_the_processor_is_in_the_kid() -> None:
    assert processor_of(kid_of("crm-eu", 3)) == "crm-eu"
