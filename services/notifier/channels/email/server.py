"""How the mail server is reached."""

from dataclasses import dataclass, field

import aiosmtplib


@dataclass(frozen=True, slots=True)
class Server:
    """Address, login and patience, in seconds. STARTTLS, when asked for, is required and its certificate checked."""

    host: str
    port: int
    starttls: bool
    username: str = ""
    password: str = field(default="", repr=False)
    hostname: str | None = None
    timeout: float = 30.0
    data_timeout: float = 120.0

    def client(self) -> aiosmtplib.SMTP:
        """Return a client that is not connected yet."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username or None,
            password=self.password or None,
            local_hostname=self.hostname,
            timeout=self.timeout,
            start_tls=self.starttls,
        )
