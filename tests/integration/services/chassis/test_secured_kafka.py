"""A broker that asks over TLS who connects, and lets in whom its ACLs name: no client goes another way."""

import datetime as dt
import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contracts.topics import REPORTS
from habeas.local import kafka as local_kafka
from habeas.local.kafka import KafkaServer
from habeas.local.ports import LOOPBACK
from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.cluster import ClusterWatch
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.conftest import Compose
from tests.integration.services.chassis.test_consuming import Probe, id_of
from tests.integration.services.chassis.test_kafka_away import looked, nothing, ready
from tests.integration.services.chassis.test_relaying import Relaying
from tests.waiting import until

USER, PASSWORD, STRANGER = "habeas", "made-up", "stranger"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SECURED = f"""
listener.security.protocol.map=BROKER:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.broker.plain.sasl.jaas.config={PLAIN} username="{USER}" password="{PASSWORD}" \\
  user_{USER}="{PASSWORD}" user_{STRANGER}="{PASSWORD}";
ssl.keystore.type=PEM
ssl.keystore.location={{keystore}}
ssl.truststore.type=PEM
ssl.truststore.location={{trusted}}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{USER};User:ANONYMOUS
"""


def certify(folder: Path) -> None:
    """Write key and certificate of a broker on loopback, and beside it what one trusts who trusts that broker."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a broker of a test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "broker.pem").write_bytes(private + public)
    (folder / "ca.pem").write_bytes(public)


class SecuredServer(KafkaServer):
    """A broker that speaks TLS, asks for a password and knows one superuser."""

    def _write_properties(self, data: Path | None = None) -> Path:
        path = super()._write_properties(data)
        with path.open("a") as file:
            file.write(SECURED.format(keystore=self.home / "broker.pem", trusted=self.home / "ca.pem"))
        return path


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecuredServer]:
    """A broker of this test's own; it answers nobody who does not speak TLS, so that it listens must do."""
    monkeypatch.setattr(local_kafka, "answers", listens)
    server = SecuredServer(tmp_path / "kafka")
    certify(server.home)
    with server:
        yield server


def reached(server: KafkaServer, *, user: str = USER, password: str = PASSWORD) -> Brokers:
    ca_file = server.home / "ca.pem"
    return Brokers.secured(
        server.bootstrap, "sasl_ssl", mechanism="PLAIN", user=user, password=password, ca_file=ca_file
    )


@pytest.mark.timeout(120)
async def test_what_is_sent_and_taken_goes_over_tls_in_the_name_that_was_given(
    secured: SecuredServer, probe_database: Database, compose: Compose, namespace: str
) -> None:
    ours = reached(secured)
    spec = topics.spec_of(REPORTS, namespace)
    await until(lambda: looked(ClusterWatch(probe_database, ours, nothing)))
    assert await topics.ensure(ours, [spec]) == [spec.name]
    messages = [compose.settled() for _ in range(3)]
    relaying = Relaying(probe_database, secured.bootstrap, ours)
    probe = Probe(probe_database, secured.bootstrap, spec.name, namespace, brokers=ours)
    async with relaying.running(), probe.running():
        await relaying.append(messages)
        await probe.has_seen(3)
    assert sorted(await probe.seen()) == sorted(id_of(one) for one in messages)


@pytest.mark.timeout(120)
async def test_whom_the_broker_does_not_know_or_let_in_waits_and_is_not_ready(
    secured: SecuredServer, probe_database: Database, namespace: str
) -> None:
    ours = reached(secured)
    spec = topics.spec_of(REPORTS, namespace)
    await until(lambda: looked(ClusterWatch(probe_database, ours, nothing)))
    await topics.ensure(ours, [spec])
    wrong, stranger = reached(secured, password="another"), reached(secured, user=STRANGER)
    for brokers in (wrong, Brokers(secured.bootstrap)):
        with pytest.raises((KafkaError, OSError)):
            await topics.cluster_id(brokers)
        assert not await looked(ClusterWatch(probe_database, brokers, nothing))
    # Whoever has a password may ask who is there, but sees and makes no topics.
    assert await looked(ClusterWatch(probe_database, stranger, nothing))
    with pytest.raises(KafkaError, match=r"(?i)authoriz"):
        await topics.ensure(stranger, [topics.spec_of(REPORTS, f"{namespace}-other")])
    shut_out, let_in = (
        Probe(probe_database, secured.bootstrap, spec.name, namespace, brokers=brokers) for brokers in (stranger, ours)
    )
    async with shut_out.running() as waiting, let_in.running(instance=1) as reading:
        await until(lambda: ready(reading))
        assert not waiting.ready
        assert waiting.alive
