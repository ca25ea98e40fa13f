"""Whose an item is: identities compared by type."""

import pytest

from habeas.engine.matching import Subject
from habeas.sdk import Identity, IdentityType


@pytest.mark.parametrize(
    ("type_", "given", "found", "same"),
    [
        ("email", "jane@example.com", " Jane@Example.COM ", True),
        ("email", "jane@example.com", "jane@example.com.evil.example", False),
        ("email", "strasse@example.com", "STRASSE@example.com", True),
        ("phone", "+31612345678", "0031 6-1234 5678", True),
        ("phone", "+31612345678", "+31 (6) 12.34.56.78", True),
        ("phone", "+31612345678", "0612345678", False),
        ("customer_id", "C-42", "c-42", False),
        ("customer_id", "c-42", "c-4", False),
        ("customer_id", "", "", False),
        ("username", "Jane", "jane", True),
    ],
)
def test_identities_are_compared_as_their_type_wants(type_: str, given: str, found: str, same: bool) -> None:
    kind = IdentityType(type_)
    assert Subject([Identity(kind, given)]).owns(Identity(kind, found)) is same


def test_the_same_value_of_another_type_is_another_identity() -> None:
    subject = Subject([Identity(IdentityType.CUSTOMER_ID, "42")])
    assert not subject.owns(Identity(IdentityType.COOKIE_ID, "42"))
