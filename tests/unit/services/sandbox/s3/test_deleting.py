"""Reading and answering DeleteObjects."""

from xml.etree import ElementTree as ET

import pytest

from services.sandbox.s3.deleting import MalformedDeletionError, Result, Target, parse, render


def test_keys_versions_and_quiet_are_read_with_and_without_a_namespace() -> None:
    for namespace in ("", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'):
        objects = "<Object><Key>a &amp; b</Key><VersionId>v1</VersionId></Object><Object><Key>c</Key></Object>"
        found = parse(f"<Delete{namespace}>{objects}<Quiet>true</Quiet></Delete>".encode())
        assert found.targets == (Target("a & b", "v1"), Target("c", None))
        assert found.quiet


@pytest.mark.parametrize(
    "body", [b"", b"<Delete/>", b"<Delete>", b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1_001]
)
def test_a_malformed_list_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedDeletionError):
        parse(body + b"</Delete>" if body.count(b"Object") else body)


def test_the_answer_escapes_names_and_tells_errors_by_version() -> None:
    results = [Result(Target("a & <b>", "v1"), refused=True), Result(Target("c", None))]
    answer = ET.fromstring(render(results, quiet=False))  # noqa: S314 (our own)
    error, deleted = answer
    assert [part.text for part in error][:3] == ["a & <b>", "v1", "AccessDenied"]
    assert [part.text for part in deleted] == ["c"]
