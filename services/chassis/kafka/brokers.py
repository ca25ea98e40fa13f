"""Where the cluster is and how a service shows it who it is: one place for what every Kafka client is given."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


@dataclass(frozen=True, slots=True)
class Brokers:
    """A cluster at `bootstrap` (`host:port`, several with commas), and what it asks of whoever connects."""

    bootstrap: str
    security: BaseSecurity = field(default_factory=BaseSecurity, repr=False)

    @classmethod
    def secured(
        cls,
        bootstrap: str,
        protocol: Protocol,
        *,
        mechanism: Mechanism = "SCRAM-SHA-512",
        user: str = "",
        password: str = "",
        ca_file: Path | None = None,
    ) -> "Brokers":
        """Return a cluster that is reached by `protocol`, one of Kafka's `security.protocol` in small letters.

        `ca_file` (PEM) is what its certificate is checked against, by default what this system trusts. Raises
        `OSError`, also (as `ssl.SSLError`) where that file holds no certificate.
        """
        trusted = ssl.create_default_context(cafile=ca_file) if protocol.endswith("ssl") else None
        if protocol.startswith("sasl"):
            return cls(bootstrap, _SASL[mechanism](user, password, ssl_context=trusted))
        return cls(bootstrap, BaseSecurity(ssl_context=trusted))

    def options(self) -> dict[str, Any]:
        """Return what aiokafka's clients take; FastStream's broker takes the two fields as they are."""
        return {"bootstrap_servers": self.bootstrap, **parse_security(self.security)}
