"""What an operator says of a Stripe account."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Settings(BaseModel):
    """What an operator supplies; the README says what each of them changes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    base_url: str = "https://api.stripe.com"
    key: SecretStr
    version: str = Field(default="2026-10-28.endive", pattern=r"^\d{4}-\d{2}-\d{2}\.[a-z]+$")
    customer_id_key: str = Field(default="customer_id", pattern=r"^[\w.-]{1,40}$")
    search: bool = True
    orphans: Literal["walk", "report", "none"] = "walk"
    redaction: bool = False
    redaction_version: str = Field(default="2026-06-24.preview", pattern=r"^\d{4}-\d{2}-\d{2}\.preview$")
    poll_seconds: float = Field(default=5.0, ge=1.0, le=3_600.0)
