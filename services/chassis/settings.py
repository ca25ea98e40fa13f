"""What every service is told by its environment; only `app` and `__main__` read it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Namespace = Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,31})?$")]


class ServiceSettings(BaseSettings):
    """Settings with the prefix `HABEAS_`; a service adds its own by subclassing.

    `namespace` prefixes topics and groups, so that installations can share a cluster. `database_url` is the
    service's own role; `postgres_url`, the owner's, is used by `migrate` alone. `instance` is the number of this
    replica, from 0: it names the static member of the consumer group, so two replicas must never share one.
    """

    model_config = SettingsConfigDict(env_prefix="HABEAS_", extra="ignore", frozen=True, hide_input_in_errors=True)

    namespace: Namespace = ""
    environment: Literal["production", "development", "test"] = "production"
    instance: int = Field(default=0, ge=0, le=999)
    database_url: SecretStr
    postgres_url: SecretStr | None = None
    database_pool: int = Field(default=6, ge=2, le=100)
    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_session_timeout: float = Field(default=10.0, gt=0, description="seconds until a dead member is given up")
    key_file: Path
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    faultpoint: str | None = None
    otlp_endpoint: str | None = None
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    dead_letter_days: float = Field(default=30.0, gt=0)
    halt_after: int = Field(default=20, ge=1, description="proven records that fail in a row before a consumer halts")
