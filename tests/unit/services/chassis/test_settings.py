"""How Kafka is reached is told by the environment; what cannot be right is refused with the variable's name."""

import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.chassis.settings import ServiceSettings

OTHERS = {"HABEAS_DATABASE_URL": "postgresql://habeas@127.0.0.1/habeas", "HABEAS_KEY_FILE": "at-rest.key"}
AUTHORITY = ssl.get_default_verify_paths().cafile


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> ServiceSettings:
    for name, value in {**OTHERS, **variables}.items():
        monkeypatch.setenv(name, value)
    return ServiceSettings()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(ValidationError) as error:
        settings(monkeypatch, **variables)
    (problem,) = error.value.errors()
    return "HABEAS_" + "".join(map(str, problem["loc"])).upper() + ": " + problem["msg"]


def test_by_default_a_broker_on_this_machine_is_asked_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    options = settings(monkeypatch).brokers.options()
    assert (options["bootstrap_servers"], options["security_protocol"]) == ("127.0.0.1:9092", "PLAINTEXT")


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_over_tls(monkeypatch: pytest.MonkeyPatch, mechanism: str) -> None:
    told = settings(
        monkeypatch,
        HABEAS_KAFKA_BOOTSTRAP="kafka.example:9093",
        HABEAS_KAFKA_SECURITY="sasl_ssl",
        HABEAS_KAFKA_MECHANISM=mechanism,
        HABEAS_KAFKA_USER="habeas-notifier",
        HABEAS_KAFKA_PASSWORD="planted-password",
    )
    options = told.brokers.options()
    assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
    assert options == {
        "bootstrap_servers": "kafka.example:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "habeas-notifier",
        "sasl_plain_password": "planted-password",
    }
    assert "planted-password" not in f"{told!r} {told.brokers!r}"


def test_tls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    options = settings(monkeypatch, HABEAS_KAFKA_SECURITY="ssl").brokers.options()
    assert options["security_protocol"] == "SSL"
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED


def test_a_password_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, HABEAS_KAFKA_SECURITY="sasl_ssl", HABEAS_KAFKA_USER="habeas-notifier")
    assert "needs HABEAS_KAFKA_USER and HABEAS_KAFKA_PASSWORD" in told


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    told = refusal(monkeypatch, HABEAS_KAFKA_SECURITY="ssl", HABEAS_KAFKA_CA_FILE=str(file))
    assert told.startswith("HABEAS_KAFKA_CA_FILE: ")
    assert told.endswith("name a readable PEM file")
