"""One plain address or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.email.addresses import MalformedAddress, one_address

ATTACKS = [
    "a@example.com, b@example.com",
    "a@example.com; b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    "a@example.com\nRCPT TO:<b@example.com>",
    "a@example.com\u2028Bcc: b@example.com",
    "<a@example.com>",
    "Jane <a@example.com>",
    "a@example.com> SIZE=1",
    '"a b"@example.com',
    "a@b@example.com",
    "a(comment)@example.com",
    "@route:a@example.com",
    "a@[127.0.0.1]",
    "group:a@example.com;",
    "a b@example.com",
    "a\x00@example.com",
    "a\u202e@example.com",
    "",
    "@",
    "a@",
    "@example.com",
    "=?utf-8?q?a=40b?=@example.com, c@d",
    "a@" + "b" * 300 + ".com",
    "a" * 65 + "@example.com",
]


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_anything_but_one_plain_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedAddress):
        one_address(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("jane@example.com", "jane@example.com"),
        (" jane+tag@mail.example.com ", "jane+tag@mail.example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("jan@voorbeeld.example", "jan@voorbeeld.example"),
        ("jane@büro.example", "jane@xn--bro-hoa.example"),
        ("jörg@example.com", "jörg@example.com"),
    ],
)
def test_plain_addresses_are_read(text: str, read: str) -> None:
    assert one_address(text).addr_spec == read


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_read_can_not_hold_a_second_address_or_a_command(local: str, domain: str) -> None:
    try:
        address = one_address(f"{local}@{domain}")
    except MalformedAddress:
        return
    assert address.addr_spec.count("@") == 1
    assert address.addr_spec.isprintable()
    assert not set(address.addr_spec) & set(' \t\r\n<>,;:"()[]\\')
