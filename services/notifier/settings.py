"""What the notifier is told by its environment, beyond what every service is."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from services.chassis.settings import ServiceSettings

DAY = 86_400.0


def _web(url: str) -> str:
    if url and not url.startswith("https://"):
        msg = "expected an address that starts with https://"
        raise ValueError(msg)
    return url


WebAddress = Annotated[str, Field(max_length=300), AfterValidator(_web)]


class NotifierSettings(ServiceSettings):
    """Durations are in seconds. The controller is the company that answers to the subject.

    `smtp_from` is the sender's plain address; `smtp_reply_to`, where a person's reply should go, may be empty.
    `controller_contact` is shown to people who have a question: an address or a telephone number.
    `smtp_data_timeout` is how long the server may take for the message itself: when it is over nobody knows whether
    the mail went out, so it is generous (RFC 5321, 4.5.3.2.6, would have ten minutes).
    """

    enrolment_file: Path
    controller_name: str = Field(default="Example Controller", min_length=1, max_length=120)
    controller_contact: str = Field(default="", max_length=200)
    authority_name: str = Field(default="Autoriteit Persoonsgegevens", max_length=120)
    authority_url: WebAddress = "https://autoriteitpersoonsgegevens.nl"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_from: str = "privacy@example.com"
    smtp_reply_to: str = ""
    smtp_starttls: bool = False
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_connections: int = Field(default=8, ge=1, le=100, description="how many mails are on their way at once")
    smtp_timeout: float = Field(default=30.0, gt=0, description="for connecting and for each command before DATA")
    smtp_data_timeout: float = Field(default=120.0, gt=0)
    retry_after: tuple[float, ...] = Field(
        default=(5.0, 30.0, 120.0, 600.0, 1_800.0), min_length=1, description="between tries; the last one repeats"
    )
    sender_lease: float = Field(default=10.0, gt=0, description="until a dead sender's notices are taken over")
    notice_ttl: float = Field(default=14 * DAY, gt=0, description="until what is sealed is forgotten in any case")

    @model_validator(mode="after")
    def _password_travels_encrypted(self) -> Self:
        if self.smtp_username and not self.smtp_starttls:
            msg = "HABEAS_SMTP_USERNAME needs HABEAS_SMTP_STARTTLS=true, or the password would travel in the clear"
            raise ValueError(msg)
        return self
