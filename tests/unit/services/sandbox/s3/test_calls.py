"""What an S3 call changed, as lines for the ledger."""

from services.sandbox.s3.calls import S3Call, entries, person_of
from services.sandbox.s3.store import Version


def call(method: str, query: str = "", body: bytes = b"") -> S3Call:
    path = "/bucket" if query == "delete" else "/bucket/customers/c-1/a.txt"
    return S3Call.of({"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}, body)


KEY = "customers/c-1/a.txt"
OLD, NEW, MARKER = Version(KEY, "1", marker=False), Version(KEY, "2", marker=False), Version(KEY, "3", marker=True)


def test_versions_that_went_and_came_are_lines_of_their_own() -> None:
    lines = entries(call("DELETE"), {KEY: (OLD, NEW)}, {KEY: (NEW, MARKER)})
    assert [(one.effect, one.target, one.person) for one in lines] == [
        ("object.delete", f"bucket/{KEY}@1", "c-1"),
        ("object.delete_marker", f"bucket/{KEY}@3", "c-1"),
    ]


def test_a_delete_that_found_nothing_changed_nothing() -> None:
    assert [one.changed for one in entries(call("DELETE", "versionId=9"), {KEY: ()}, {KEY: ()})] == [False]


def test_a_tag_is_a_change_without_a_version() -> None:
    assert [(one.effect, one.changed) for one in entries(call("PUT", "tagging"), {KEY: (OLD,)}, {KEY: (OLD,)})] == [
        ("object.put_tagging", True)
    ]


def test_removing_tags_is_no_deletion_of_the_object() -> None:
    assert call("DELETE", "tagging").deletion is None
    assert call("DELETE").deletion is not None


def test_the_person_is_in_the_key() -> None:
    assert person_of("customers/c-1/a/b.txt") == "c-1"
    assert person_of("customers/c-1") is None
    assert person_of("other/c-1/a.txt") is None
