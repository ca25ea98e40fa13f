"""No customer id can reach beyond its own prefix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from habeas.sdk import CannotFulfil, Http
from services.connectors.processors.s3.processor import S3, Settings

HTTP = Http(base_url="http://s3.invalid")


def processor(prefix: str = "customers/{customer_id}/") -> S3:
    config = Settings(
        bucket="bucket",
        region="eu-west-1",
        prefix=prefix,
        access_key_id=SecretStr("k"),
        secret_access_key=SecretStr("s"),
    )
    return S3(config=config, http=HTTP)


@given(st.text(), st.text(min_size=1))
def test_two_people_never_share_a_prefix(one: str, other: str) -> None:
    prefixes = []
    for customer_id in (one, other):
        try:
            prefixes.append(processor()._prefix_of(customer_id))
        except CannotFulfil:
            return
    if one != other:
        assert not prefixes[0].startswith(prefixes[1])
        assert not prefixes[1].startswith(prefixes[0])


@given(st.text())
def test_a_prefix_names_exactly_one_folder(customer_id: str) -> None:
    try:
        prefix = processor()._prefix_of(customer_id)
    except CannotFulfil:
        return
    assert prefix.split("/") == ["customers", customer_id, ""]


@pytest.mark.parametrize(
    "customer_id", ["", " ", ".", "..", "a/b", "a\\b", "a\0", "a\n", " a", "{customer_id}", "x" * 513]
)
def test_ids_that_could_widen_it_are_refused(customer_id: str) -> None:
    with pytest.raises(CannotFulfil, match="unsafe_customer_id"):
        processor()._prefix_of(customer_id)


def test_secrets_do_not_show_in_a_repr() -> None:
    assert "secret" not in repr(processor().config).replace("secret_access_key", "")
