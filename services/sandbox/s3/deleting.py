"""DeleteObjects: its request, and an answer that tells each key and version apart (moto's leaves versions out)."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

KEY_LIMIT = 1_000
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class MalformedDeletionError(Exception):
    """The body is no list of one to a thousand keys."""


@dataclass(frozen=True)
class Target:
    """A key to delete; without a version id only a delete marker is written."""

    key: str
    version_id: str | None


@dataclass(frozen=True)
class Deletion:
    """What one call asks for; `quiet` wants errors alone in the answer."""

    targets: tuple[Target, ...]
    quiet: bool


@dataclass(frozen=True)
class Result:
    """What became of a target: `refused` by object lock, or gone; `marker`: the delete marker written or removed."""

    target: Target
    refused: bool = False
    marker: str | None = None


def parse(body: bytes) -> Deletion:
    """Read the XML of a request. Raises `MalformedDeletionError`."""
    try:
        root = ET.fromstring(body)  # noqa: S314 (from a client of our own, on loopback)
    except ET.ParseError:
        raise MalformedDeletionError from None
    targets = tuple(
        Target(key, _text(element, "VersionId") or None)
        for element in root.iter()
        if _local(element) == "Object" and (key := _text(element, "Key"))
    )
    if not 1 <= len(targets) <= KEY_LIMIT:
        raise MalformedDeletionError
    return Deletion(targets, (_text(root, "Quiet") or "").lower() == "true")


def render(results: Iterable[Result], *, quiet: bool) -> str:
    """The answer's XML element, which goes out with 200 even where every key was refused."""
    parts = [_result(one) for one in results if one.refused or not quiet]
    return f'<DeleteResult xmlns="{_NAMESPACE}">{"".join(parts)}</DeleteResult>'


def _result(result: Result) -> str:
    version_id = result.target.version_id
    version = f"<VersionId>{escape(version_id)}</VersionId>" if version_id else ""
    named = f"<Key>{escape(result.target.key)}</Key>{version}"
    if result.refused:
        why = "Access Denied because object protected by object lock."
        return f"<Error>{named}<Code>AccessDenied</Code><Message>{why}</Message></Error>"
    marker = ""
    if result.marker:
        marker = f"<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>{result.marker}</DeleteMarkerVersionId>"
    return f"<Deleted>{named}{marker}</Deleted>"


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(parent: ET.Element, name: str) -> str | None:
    return next((child.text for child in parent if _local(child) == name), None)
