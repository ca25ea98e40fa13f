"""S3 as vendor under test: a bucket of the sandbox behind a proxy, for boto3 is not reached by `Http`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
from pydantic import SecretStr

from habeas.sdk import Http, Identity, Manifest, Processor
from habeas.testing import NotArranged
from habeas.testing.faults import Fault
from services.connectors.processors.s3 import S3
from services.connectors.processors.s3 import processor as s3
from tests.conformance.proxy import before
from tests.conformance.sandbox import Sandbox, SandboxVendor, known_by

MANIFEST = Manifest.load(Path(s3.__file__).with_name("manifest.toml"))


class S3Vendor(SandboxVendor):
    name = "s3"
    manifest = MANIFEST
    access_key = "sandbox"
    prefix = "customers/{customer_id}/"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.opened: S3 | None = None
        self.locking = False
        self.endpoint = f"http://127.0.0.1:{sandbox.s3_port}"
        self.proxy = ExitStack()
        self.way = self.proxy.enter_context(before(self.endpoint, self.transport))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Processor[Any]]:
        """One client for all runs of a test: to make one takes longer than a whole task."""
        if self.opened is None:
            config = s3.Settings(
                bucket="habeas-demo",
                region="eu-west-1",
                prefix=self.prefix,
                endpoint_url=self.way,
                addressing_style="path",
                access_key_id=SecretStr(self.access_key),
                secret_access_key=SecretStr("sandbox-secret"),
            )
            self.opened = await S3(config=config, http=Http(base_url=self.endpoint)).__aenter__()
        yield self.opened

    def close(self) -> None:
        if self.opened is not None:
            asyncio.run(self.opened.__aexit__(None, None, None))
        self.proxy.close()

    async def suffer(self, trouble: str, fault: Fault, *, at: int | None = None) -> None:
        if trouble == "slow":
            raise NotArranged("boto3 bounds each read, not a whole call: the attempt's time ends what trickles")
        self.wired = True  # through the proxy
        await super().suffer(trouble, fault, at=at)

    async def partly(self) -> None:
        """DeleteObjects then answers 200 with an error for one key."""
        self.locking = True

    async def person(self) -> Sequence[Identity]:
        return known_by(self.sandbox.locked_person()) if self.locking else await super().person()

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        person = self.sandbox.resident(identities)
        return (person["name"], person["email"], *person["objects"])

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox-secret",
        )
