"""S3: the conformance kit and what is peculiar to it, against the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from habeas.engine import Again, Park, Settled
from habeas.sdk import Disposition, Http, Identity, IdentityType, Manifest, Processor
from habeas.testing import ProcessorConformance, Trial, VendorUnderTest
from habeas.vocabulary import AttentionReason
from services.connectors.processors.s3 import S3
from services.connectors.processors.s3 import processor as s3
from tests.conformance.sandbox import Sandbox, SandboxVendor, known_by

MANIFEST = Manifest.load(Path(s3.__file__).with_name("manifest.toml"))


class S3Vendor(SandboxVendor):
    name = "s3"
    manifest = MANIFEST
    access_key = "sandbox"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.sandbox.s3_port}"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.opened: S3 | None = None

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Processor[Any]]:
        """One client for all runs of a test: to make one takes longer than a whole task."""
        if self.opened is None:
            config = s3.Settings(
                bucket="habeas-demo",
                region="eu-west-1",
                endpoint_url=self.endpoint,
                addressing_style="path",
                access_key_id=SecretStr(self.access_key),
                secret_access_key=SecretStr("sandbox-secret"),
            )
            self.opened = await S3(config=config, http=Http(base_url=self.endpoint)).__aenter__()
        yield self.opened

    def close(self) -> None:
        if self.opened is not None:
            asyncio.run(self.opened.__aexit__(None, None, None))

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox-secret",
        )


@pytest.fixture
def bucket(sandbox: Sandbox) -> Iterator[S3Vendor]:
    vendor = S3Vendor(sandbox)
    yield vendor
    vendor.close()


class TestS3(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, bucket: S3Vendor) -> None:
        self.bucket = bucket

    def vendor(self) -> VendorUnderTest:
        return self.bucket


@pytest.mark.parametrize("oddity", ["object with three versions", "object under a delete marker", "many objects"])
async def test_every_version_and_marker_goes(bucket: S3Vendor, oddity: str) -> None:
    identities = known_by(bucket.sandbox.person(oddity))
    verdict = await Trial(bucket, identities).finish()
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}
    assert await bucket.remains(identities) == 0


async def test_a_locked_version_is_retained_until_its_day(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.locked_person())
    verdict = await Trial(bucket, identities).finish()
    assert isinstance(verdict, Settled)
    kept = [line for line in verdict.lines if line.disposition is Disposition.RETAINED]
    assert [(line.count, line.ground, line.until is not None) for line in kept] == [(1, "object_lock", True)]
    assert await bucket.remains(identities) == 1


@pytest.mark.parametrize("value", ["..", "../c-1", "c-1/../c-2", "c-1/", " ", "c\n1", "{customer_id}", "c-1\\x"])
async def test_an_id_that_could_reach_further_is_refused(bucket: S3Vendor, value: str) -> None:
    verdict = await Trial(bucket, (Identity(IdentityType.CUSTOMER_ID, value),)).finish()
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "unsafe_customer_id")]


async def test_an_id_that_begins_like_another_touches_only_its_own(bucket: S3Vendor) -> None:
    long = known_by(bucket.sandbox.person())
    before = await bucket.remains(long)
    short = Identity(IdentityType.CUSTOMER_ID, long[1].value[:-1])
    await Trial(bucket, (short,)).finish()
    assert await bucket.remains(long) == before


async def test_an_unfinished_upload_is_aborted(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person())
    client = await asyncio.to_thread(bucket.client)
    key = f"customers/{identities[1].value}/half.bin"
    await asyncio.to_thread(client.create_multipart_upload, Bucket="habeas-demo", Key=key)
    verdict = await Trial(bucket, identities).finish()
    assert isinstance(verdict, Settled)
    assert ("uploads", 1) in [(line.category, line.count) for line in verdict.lines]
    left = await asyncio.to_thread(client.list_multipart_uploads, Bucket="habeas-demo")
    assert not [upload for upload in left.get("Uploads", ()) if upload["Key"] == key]
    client.close()


async def test_a_reply_lost_after_the_deletion_is_told_as_our_own_doing(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person())
    bucket.knobs(drop_reply=1, only="POST", times=1)  # the one POST is DeleteObjects
    trial = Trial(bucket, identities)
    assert isinstance(await trial.run(), Again)
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}


async def test_a_wrong_key_parks_the_task(bucket: S3Vendor) -> None:
    bucket.access_key = "wrong"
    verdict = await Trial(bucket, await bucket.nobody()).finish()
    assert verdict == Park(AttentionReason.CREDENTIALS_REJECTED, "credentials_rejected")


@pytest.mark.parametrize("prefix", ["customers/{customer_id}", "{customer_id}-files/", "all/", "/x/{customer_id}/"])
def test_a_prefix_that_does_not_close_the_id_in_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"prefix|slash"):
        s3.Settings(
            bucket="bucket",
            region="eu-west-1",
            prefix=prefix,
            access_key_id=SecretStr("k"),
            secret_access_key=SecretStr("s"),
        )
