"""What concerns a subject is opened by its own key, for its own request, and by nothing else."""

import os

import pytest

from habeas.vocabulary import IdentityType
from services.chassis.crypto.at_rest import Undecryptable
from services.orchestrator.handlers.secrets import KnownCorrection, KnownIdentity, Secrets, pack, unpack

KEY = os.urandom(32)
REQUEST = "req_01J00000000000000000000000"
SECRETS = Secrets(
    (
        KnownIdentity(IdentityType.EMAIL, "józef@bücher.example"),
        KnownIdentity(IdentityType.CUSTOMER_ID, "c-42", "crm-eu", 1),
    ),
    "józef@bücher.example",
    "TICKET-42",
    (
        KnownCorrection("contact.email", "józef@bücher.example", "józef@new.example"),
        KnownCorrection("contact.name", None, "Józef Squirrel"),
    ),
)


@pytest.mark.parametrize("secrets", [SECRETS, Secrets(())])
def test_what_is_packed_is_unpacked(secrets: Secrets) -> None:
    assert unpack(KEY, REQUEST, pack(KEY, REQUEST, secrets)) == secrets


def test_neither_another_key_nor_another_request_opens_it() -> None:
    sealed = pack(KEY, REQUEST, SECRETS)
    with pytest.raises(Undecryptable):
        unpack(os.urandom(32), REQUEST, sealed)
    with pytest.raises(Undecryptable):
        unpack(KEY, "req_01J00000000000000000000001", sealed)


def test_nothing_of_it_shows() -> None:
    shown = repr(SECRETS) + repr(SECRETS.identities[1]) + repr(SECRETS.corrections)
    for text in ("józef", "c-42", "TICKET", "Squirrel"):
        assert text not in shown
        assert text.encode() not in pack(KEY, REQUEST, SECRETS)
