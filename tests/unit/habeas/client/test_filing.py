"""What a caller says of a request becomes the body that the API takes; nothing of it is shown."""

from habeas.client import Correction, Identity, NewRequest
from habeas.vocabulary import Right

JANE = {"email": "jane@example.com"}


def test_a_request_for_a_copy_says_who_it_is_about() -> None:
    assert NewRequest(Right.ACCESS, JANE).body() == {
        "right": "access",
        "subject": {"identities": [{"type": "email", "value": "jane@example.com"}]},
        "requester": {"relation": "self"},
        "identity_check": {"method": "client_asserted"},
    }


def test_corrections_are_new_values_by_field() -> None:
    body = NewRequest("rectification", JANE, corrections={"contact.phone": "+31201234567"}).body()
    assert body["rectification"] == {"corrections": [{"field": "contact.phone", "to": "+31201234567"}]}


def test_a_correction_may_name_the_old_value() -> None:
    some = [Correction("contact.email", "jane@example.org", "jane@example.com"), Correction("contact.name", "Jane")]
    assert NewRequest("rectification", JANE, corrections=some).body()["rectification"] == {
        "corrections": [
            {"field": "contact.email", "from": "jane@example.com", "to": "jane@example.org"},
            {"field": "contact.name", "to": "Jane"},
        ]
    }


def test_no_repr_shows_a_value() -> None:
    secret = Correction("contact.name", "squirrel", "hedgehog")
    shown = repr(NewRequest("rectification", [Identity("email", "squirrel@example.com")], corrections=[secret]))
    for text in (shown, repr(secret), repr(Identity("email", "squirrel@example.com"))):
        assert "squirrel" not in text
        assert "hedgehog" not in text
