"""The S3 simulator through boto3: versions, markers, locks, the ledger and the knobs."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from tests.integration.services.sandbox.conftest import Running, s3_client, until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

BUCKET = "habeas-demo"


def prefix(person: dict[str, str]) -> str:
    return f"customers/{person['customer_id']}/"


def versions(s3: "S3Client", below: str) -> Iterator["ObjectIdentifierTypeDef"]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=below):
        for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            yield {"Key": one["Key"], "VersionId": one["VersionId"]}


def lines(sandbox: Running) -> list[tuple[str, bool]]:
    return [(one["effect"], one["changed"]) for one in sandbox.effects("s3")]


def test_another_access_key_is_refused(sandbox: Running) -> None:
    stranger = s3_client(sandbox, access_key="someone")
    with pytest.raises(ClientError) as refused:
        stranger.list_objects_v2(Bucket=BUCKET)
    assert refused.value.response["Error"]["Code"] == "InvalidAccessKeyId"
    stranger.close()


def test_versions_and_markers_all_have_to_go(sandbox: Running, s3: "S3Client") -> None:
    for oddity, kept in (("object with three versions", 4), ("object under a delete marker", 4)):
        person = sandbox.odd(oddity)
        found = list(versions(s3, prefix(person)))
        assert len(found) == sandbox.remains(person["customer_id"])["s3"] == kept
        answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found})
        assert len(answer["Deleted"]) == kept
        assert sandbox.remains(person["customer_id"])["s3"] == 0
    assert lines(sandbox) == [("object.delete", True)] * 8


def test_a_delete_without_a_version_only_hides(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1)[0]
    key, before = person["objects"][0], sandbox.remains(person["customer_id"])["s3"]
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}]})
    assert sandbox.remains(person["customer_id"])["s3"] == before + 1
    assert lines(sandbox) == [("object.delete_marker", True)]
    assert sandbox.effects("s3")[0]["person"] == person["customer_id"]


def test_a_missing_version_counts_as_deleted(sandbox: Running, s3: "S3Client") -> None:
    gone: list[ObjectIdentifierTypeDef] = [{"Key": "customers/c-9/none.txt", "VersionId": "v1"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": gone})
    assert [one["Key"] for one in answer["Deleted"]] == ["customers/c-9/none.txt"]
    assert dict(answer).get("Errors") is None
    assert lines(sandbox) == [("object.delete", False)]


def test_a_thousand_keys_at_most(sandbox: Running, s3: "S3Client") -> None:
    many: list[ObjectIdentifierTypeDef] = [{"Key": f"k{n}", "VersionId": "v"} for n in range(1_001)]
    with pytest.raises(ClientError) as refused:
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": many})
    assert refused.value.response["Error"]["Code"] == "MalformedXML"
    assert len(s3.delete_objects(Bucket=BUCKET, Delete={"Objects": many[:1_000]})["Deleted"]) == 1_000


def test_a_batch_needs_a_checksum(sandbox: Running) -> None:
    line = http.client.HTTPConnection("127.0.0.1", sandbox.ports["s3_port"])
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=sandbox/20260101/eu-west-1/s3/aws4_request"}
    line.request("POST", f"/{BUCKET}?delete", "<Delete><Object><Key>a</Key></Object></Delete>", signed)
    answer = line.getresponse()
    assert answer.status == 400
    assert b"InvalidRequest" in answer.read()
    line.close()


def test_a_locked_version_is_an_error_inside_a_success(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1, locked=1)[0]
    found = list(versions(s3, prefix(person)))
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    errors = [(one["Key"], one["Code"], one["VersionId"] != "") for one in answer["Errors"]]
    assert errors == [(f"{prefix(person)}invoices/kept.txt", "AccessDenied", True)]
    assert sandbox.remains(person["customer_id"])["s3"] == 1
    assert lines(sandbox) == [("object.delete", True)] * (len(found) - 1)


def test_a_single_delete_of_a_locked_version_is_forbidden(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1, locked=1)[0]
    locked = next(versions(s3, f"{prefix(person)}invoices/"))
    retention = s3.get_object_retention(Bucket=BUCKET, Key=locked["Key"], VersionId=locked["VersionId"])
    assert retention["Retention"]["Mode"] == "COMPLIANCE"
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=BUCKET, Key=locked["Key"], VersionId=locked["VersionId"])
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert sandbox.effects("s3") == []


def test_a_quiet_batch_answers_with_errors_alone(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1)[0]
    found = list(versions(s3, prefix(person)))
    assert "Deleted" not in s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found, "Quiet": True})
    assert sandbox.remains(person["customer_id"])["s3"] == 0


def test_a_removed_marker_is_told_apart(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1)[0]
    marker = s3.delete_object(Bucket=BUCKET, Key=person["objects"][0])["VersionId"]
    wanted: list[ObjectIdentifierTypeDef] = [{"Key": person["objects"][0], "VersionId": marker}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted})
    assert answer["Deleted"][0]["DeleteMarkerVersionId"] == marker
    assert s3.head_object(Bucket=BUCKET, Key=person["objects"][0])["ContentLength"] > 0


def test_writes_are_on_the_ledger_and_seeding_is_not(sandbox: Running, s3: "S3Client") -> None:
    sandbox.people(3)
    assert sandbox.effects("s3") == []
    key = "customers/c-1-1/new.txt"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    s3.put_object_tagging(Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": "dsr", "Value": "restricted"}]})
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"x"
    assert lines(sandbox) == [("object.put", True), ("object.put_tagging", True)]


def test_a_prefix_without_its_slash_would_reach_others(sandbox: Running, s3: "S3Client") -> None:
    sandbox.people(12)
    assert len(list(versions(s3, "customers/c-1-1"))) > len(list(versions(s3, "customers/c-1-1/")))


def test_slow_down_and_internal_errors(sandbox: Running, s3: "S3Client") -> None:
    sandbox.turn("s3", rate_limit=1)
    with pytest.raises(ClientError) as slow:
        s3.list_objects_v2(Bucket=BUCKET)
    assert slow.value.response["Error"]["Code"] == "SlowDown"
    sandbox.turn("s3", fail_5xx=1)
    with pytest.raises(ClientError) as failed:
        s3.list_objects_v2(Bucket=BUCKET)
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


def test_a_refused_batch_leaves_its_connection_fit_for_the_next_call(sandbox: Running, s3: "S3Client") -> None:
    found = list(versions(s3, prefix(sandbox.people(1)[0])))
    sandbox.turn("s3", rate_limit=1, times=1)
    with pytest.raises(ClientError):
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found})
    assert len(s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found})["Deleted"]) == len(found)


def test_a_body_of_unknown_length_arrives_whole(sandbox: Running) -> None:
    line = http.client.HTTPConnection("127.0.0.1", sandbox.ports["s3_port"])
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=sandbox/20260101/eu-west-1/s3/aws4_request"}
    line.request(
        "PUT",
        f"/{BUCKET}/streamed.txt",
        iter([b"ab", b"c"]),
        {**signed, "Transfer-Encoding": "chunked"},
        encode_chunked=True,
    )
    assert line.getresponse().read() == b""
    line.request("GET", f"/{BUCKET}/streamed.txt", headers=signed)
    assert line.getresponse().read() == b"abc"
    line.close()


def test_a_lost_reply_leaves_its_effect(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1)[0]
    found = list(versions(s3, prefix(person)))
    sandbox.turn("s3", drop_reply=1)
    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found})
    assert sandbox.remains(person["customer_id"])["s3"] == 0
    assert lines(sandbox) == [("object.delete", True)] * len(found)


@pytest.mark.parametrize(("knob", "done"), [("hang", False), ("hang_after", True)])
def test_silence_comes_without_or_with_the_effect(sandbox: Running, s3: "S3Client", knob: str, *, done: bool) -> None:
    person = sandbox.people(1)[0]
    found = list(versions(s3, prefix(person)))
    sandbox.turn("s3", **{knob: 1})
    with closing(s3_client(sandbox, read_timeout=1)) as impatient, pytest.raises(ReadTimeoutError):
        impatient.delete_objects(Bucket=BUCKET, Delete={"Objects": found})
    until(lambda: (sandbox.remains(person["customer_id"])["s3"] == 0) is done)


def test_a_lie_says_deleted_and_leaves_everything(sandbox: Running, s3: "S3Client") -> None:
    person = sandbox.people(1)[0]
    found = list(versions(s3, prefix(person)))
    sandbox.turn("s3", lie=True)
    assert len(s3.delete_objects(Bucket=BUCKET, Delete={"Objects": found})["Deleted"]) == len(found)
    assert sandbox.remains(person["customer_id"])["s3"] == len(found)
    assert {changed for _, changed in lines(sandbox)} == {False}
