"""Settings that would leak or never work are refused with the name of what to change."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.notifier.settings import NotifierSettings


def settings(**more: Any) -> NotifierSettings:
    needed = {
        "database_url": SecretStr("postgresql://a:b@127.0.0.1/c"),
        "key_file": Path("k"),
        "enrolment_file": Path("e"),
    }
    return NotifierSettings(**{**needed, **more})


def test_a_password_needs_an_encrypted_connection() -> None:
    with pytest.raises(ValidationError, match="HABEAS_SMTP_STARTTLS"):
        settings(smtp_username="habeas")
    assert settings(smtp_username="habeas", smtp_starttls=True).smtp_starttls


@pytest.mark.parametrize("url", ["http://authority.example", "javascript:alert(1)", "authority.example"])
def test_the_authoritys_address_is_a_secure_one(url: str) -> None:
    with pytest.raises(ValidationError):
        settings(authority_url=url)
