"""A sandbox that is asked often does not grow, and a listing does not copy what it lists."""

from moto.s3.models import FakeKey, s3_backends

from services.sandbox.s3.store import Content, ObjectStore


def test_a_listing_keeps_nothing_and_harms_nothing() -> None:
    store = ObjectStore("memory", "eu-west-1")
    store.put([Content(f"a/{place}", (b"content",)) for place in range(20)])
    backend = s3_backends["123456789012"]["aws"]
    before = len(vars(FakeKey)["instances_tracked"])
    for _ in range(3):
        listed = backend.list_object_versions("memory")[0]
        assert [one.value for one in listed] == [b"content"] * 20
        del listed
    assert len(vars(FakeKey)["instances_tracked"]) == before
    assert {one.value for one in backend.list_object_versions("memory")[0]} == {b"content"}
