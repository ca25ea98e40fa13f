"""S3: the conformance kit and what is peculiar to it, against the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from habeas.engine import Again, Park, Settled
from habeas.sdk import Action, Disposition, File, Identity, IdentityType, Record
from habeas.testing import MemoryExports, MemoryLedger, ProcessorConformance, Trial, VendorUnderTest
from habeas.vocabulary import AttentionReason
from services.connectors.processors.s3 import processor as s3
from services.connectors.processors.s3.vendor import CHUNK
from tests.conformance.rereading import found, reread_blankly
from tests.conformance.s3_vendor import S3Vendor
from tests.conformance.sandbox import Sandbox, known_by


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
    ends = await asyncio.to_thread(lock_of, bucket, identities)
    assert [(line.count, line.ground, line.until) for line in kept] == [
        (1, "object_lock", (ends - timedelta(microseconds=1)).date() + timedelta(days=1))
    ]
    assert await bucket.remains(identities) == 1


def lock_of(bucket: S3Vendor, identities: Sequence[Identity]) -> datetime:
    """Return when the lock ends that keeps a version of this person's, as the vendor has it."""
    client = bucket.client()
    prefix = f"customers/{identities[1].value}/"
    (left,) = client.list_object_versions(Bucket="habeas-demo", Prefix=prefix)["Versions"]
    named = {"Bucket": "habeas-demo", "Key": left["Key"], "VersionId": left["VersionId"]}
    ends: datetime = client.head_object(**named)["ObjectLockRetainUntilDate"]
    client.close()
    return ends.astimezone(UTC)


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


async def exported(bucket: S3Vendor, identities: Sequence[Identity]) -> tuple[Settled, list[Record], list[Any]]:
    """Export a person; return the outcome, the records and the files with their content."""
    trial = Trial(bucket, identities, action=Action.EXPORT)
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    parts = trial.exports.finished or []
    return (
        verdict,
        [part for part in parts if isinstance(part, Record)],
        [one for one in parts if isinstance(one, tuple)],
    )


async def put(bucket: S3Vendor, identities: Sequence[Identity], name: str, **told: Any) -> str:
    """Put an object of the person; return its key."""
    key = f"customers/{identities[1].value}/{name}"
    client = await asyncio.to_thread(bucket.client)
    await asyncio.to_thread(client.put_object, Bucket="habeas-demo", Key=key, **told)
    client.close()
    return key


async def test_every_version_is_exported_with_its_media_type(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person("object with three versions"))
    _, records, files = await exported(bucket, identities)
    profiles = [record for record in records if str(record.fields["key"]).endswith("profile.json")]
    assert len({record.fields["version"] for record in profiles}) == 3
    assert {record.fields["media_type"] for record in profiles} == {"application/json"}
    of_json = [content for file, content in files if file.media_type == "application/json"]
    assert sorted(map(len, of_json)) == sorted(int(str(record.fields["bytes"])) for record in profiles)


async def test_a_delete_marker_is_told_and_has_no_file(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person("object under a delete marker"))
    verdict, records, files = await exported(bucket, identities)
    told = [record.fields["what"] for record in records]
    assert told.count("mark of a deletion") == 1
    assert len(files) == told.count("file") == len(records) - 1
    assert [(line.disposition, line.count) for line in verdict.lines] == [(Disposition.EXPORTED, len(records))]


async def test_an_unfinished_upload_is_told(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person())
    client = await asyncio.to_thread(bucket.client)
    key = f"customers/{identities[1].value}/half.bin"
    await asyncio.to_thread(client.create_multipart_upload, Bucket="habeas-demo", Key=key)
    client.close()
    _, records, _ = await exported(bucket, identities)
    assert [record.fields["key"] for record in records if record.fields["what"] == "unfinished upload"] == [key]


async def test_what_lies_in_an_archive_is_told_and_said_to_be_missing(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person())
    key = await put(bucket, identities, "old.txt", Body=b"cold", StorageClass="GLACIER")
    verdict, records, files = await exported(bucket, identities)
    assert [one.fields["key"] for one in records if one.fields["what"] == "file in archive storage"] == [key]
    assert b"cold" not in [content for _, content in files]
    assert ("files", Disposition.FAILED, "content_in_archive_storage") in [
        (line.category, line.disposition, line.reason) for line in verdict.lines
    ]


class Weighed(MemoryExports):
    """Keeps of a file how long it was and its longest piece."""

    size = longest = 0

    async def file(self, file: File, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            self.size += len(chunk)
            self.longest = max(self.longest, len(chunk))


async def test_a_large_file_is_streamed_in_small_pieces(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person("no objects"))
    body = bytes(range(256)) * 4096 * 24
    await put(bucket, identities, "large.bin", Body=body, ContentType="image/png")
    bucket.way = bucket.endpoint  # the proxy reads an answer whole
    exports = Weighed()
    verdict = await Trial(bucket, identities, action=Action.EXPORT, exports=exports).finish()
    assert isinstance(verdict, Settled)
    assert exports.size == len(body)
    assert exports.longest <= CHUNK


async def test_a_short_lease_is_not_outlived_by_a_call(bucket: S3Vendor) -> None:
    identities = known_by(bucket.sandbox.person())
    ledger = MemoryLedger(lease=4.0)
    verdict = await Trial(bucket, identities, ledger=ledger).finish()
    assert isinstance(verdict, Settled)
    assert await bucket.remains(identities) == 0
    none_left = Trial(bucket, identities, ledger=MemoryLedger(lease=1.5))
    assert await none_left.run() == Again("no_time_left", after=0.0)


async def test_whose_a_file_is_can_be_read_without_knowing_who_asked(bucket: S3Vendor) -> None:
    identities = await bucket.person()
    items = await found(bucket, identities)
    now = await reread_blankly(bucket, items)
    assert {item.ref for item in now} == {item.ref for item in items}
    assert {item.matched for item in now} == {identities[1]}


async def test_a_file_of_an_earlier_prefix_is_nobodys(bucket: S3Vendor) -> None:
    identities = await bucket.person()
    items = await found(bucket, identities)
    other = S3Vendor(bucket.sandbox)
    other.prefix = "elsewhere/{customer_id}/"
    now = await reread_blankly(other, items)
    await asyncio.to_thread(other.close)
    assert {item.ref for item in now} == {item.ref for item in items}
    assert {item.matched.value for item in now} == {""}
