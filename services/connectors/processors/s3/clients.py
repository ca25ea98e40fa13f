"""Clients of S3 with more and less patience: no call may outlast the lease, and a client has one patience for all."""

import logging
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Literal

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from habeas.sdk import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# At debug level these quote keys, signatures and bodies.
for _loud in ("boto3", "botocore", "urllib3", "s3transfer"):
    logging.getLogger(_loud).setLevel(logging.INFO)

# Seconds that a call may take: a quarter of it, at most 5, to connect, the rest for each read.
PATIENCE = (20.0, 8.0, 3.0, 1.5)
SPARE = 0.5


def patience_for(left: float) -> float:
    """Return the most patience that `left` seconds allow; raise `RetryLater("no_time_left")` where they allow none."""
    for seconds in PATIENCE:
        if seconds + SPARE <= left:
            return seconds
    raise RetryLater("no_time_left", after=0.0)


@cache
def _descriptions() -> Loader:
    """Return what botocore knows of services, for all sessions: to read it is nine tenths of a client's making."""
    loader: Loader = botocore.session.get_session().get_component("data_loader")
    return loader


def _described() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    return session


class Clients:
    """Makes the clients of one bucket, the most patient at once, the others when they are needed."""

    def __init__(
        self,
        *,
        region: str,
        access_key_id: str,
        secret_access_key: str,
        endpoint_url: str | None,
        addressing_style: Literal["auto", "path", "virtual"],
    ) -> None:
        """Take the account's settings."""
        self._session = boto3.session.Session(
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            region_name=region,
            botocore_session=_described(),
        )
        self._endpoint_url = endpoint_url
        self._addressing_style: Literal["auto", "path", "virtual"] = addressing_style
        self._making = Lock()
        self._made: dict[float, S3Client] = {}
        self.of(PATIENCE[0])

    def of(self, patience: float) -> "S3Client":
        """Return the client with this patience. It never retries by itself: the engine decides that."""
        with self._making:
            if patience not in self._made:
                self._made[patience] = self._client(patience)
            return self._made[patience]

    def close(self) -> None:
        """Close the connections of all."""
        for client in self._made.values():
            client.close()

    def _client(self, patience: float) -> "S3Client":
        connect = min(patience / 4, 5.0)
        return self._session.client(
            "s3",
            endpoint_url=self._endpoint_url,
            config=Config(
                connect_timeout=connect,
                read_timeout=patience - connect,
                retries={"total_max_attempts": 1, "mode": "standard"},
                s3={"addressing_style": self._addressing_style},
                proxies={},
            ),
        )
