"""What every service is told by its environment; only `app` and `__main__` read it."""

import ssl
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.chassis.kafka.brokers import Brokers, Mechanism, Protocol

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
    kafka_security: Protocol = Field(default="plaintext", description="Kafka's security.protocol, in small letters")
    kafka_mechanism: Mechanism = Field(default="SCRAM-SHA-512", description="with sasl_*: how the password is shown")
    kafka_user: str = Field(default="", description="with sasl_*: the principal that the broker's ACLs speak of")
    kafka_password: SecretStr = SecretStr("")
    kafka_ca_file: Path | None = Field(default=None, description="PEM; by default what this system trusts")
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

    @field_validator("kafka_ca_file")
    @classmethod
    def _holds_certificates(cls, file: Path | None) -> Path | None:
        if file is None:  # what the system trusts is read where it is needed: to read it takes a while
            return None
        try:
            ssl.create_default_context(cafile=file)
        except OSError as error:
            msg = f"no certificates can be read from it ({error.strerror}): name a readable PEM file"
            raise ValueError(msg) from None
        return file

    @model_validator(mode="after")
    def _names_who_connects(self) -> Self:
        if self.kafka_security.startswith("sasl") and not (self.kafka_user and self.kafka_password.get_secret_value()):
            msg = f"HABEAS_KAFKA_SECURITY={self.kafka_security} needs HABEAS_KAFKA_USER and HABEAS_KAFKA_PASSWORD"
            raise ValueError(msg)
        return self

    @cached_property
    def brokers(self) -> Brokers:
        """Return the cluster, as every Kafka client of the service is to reach it."""
        return Brokers.secured(
            self.kafka_bootstrap,
            self.kafka_security,
            mechanism=self.kafka_mechanism,
            user=self.kafka_user,
            password=self.kafka_password.get_secret_value(),
            ca_file=self.kafka_ca_file,
        )
