"""A store in memory, and exports to put into it, sealed as a connector host seals them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from contracts.exports import path_of
from contracts.outcomes import Line, Outcome
from habeas.vocabulary import Checked, Disposition, Headline, Language
from services.chassis.exports import ExportWriter
from services.chassis.objects import ObjectMissing
from services.orchestrator.views.package.contents import Package, Recipient
from services.orchestrator.views.package.sources import Source

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PIECE = 10_000

Record = tuple[str, Mapping[str, Any]]
File = tuple[str, str, bytes]
COPIED = Line(category="contact", disposition=Disposition.EXPORTED, count=1, checked=Checked.VERIFIED)


@dataclass
class Shelf:
    """Holds objects by path and counts how often each is read."""

    objects: dict[str, bytes] = field(default_factory=dict)
    reads: int = 0

    async def read(self, path: str) -> AsyncIterator[bytes]:
        self.reads += 1
        if path not in self.objects:
            raise ObjectMissing
        stored = self.objects[path]
        for at in range(0, len(stored), PIECE):
            yield stored[at : at + PIECE]

    def put(
        self, processor: str, records: Iterable[Record] = (), files: Iterable[File] = (), *, task: str | None = None
    ) -> Source:
        """Write an export; return where it lies."""
        writer = ExportWriter(KEY)
        out = bytearray()
        for category, fields in records:
            out += b"".join(writer.record(category, fields))
        for category, media_type, content in files:
            out += b"".join(writer.file(category, media_type))
            out += b"".join(writer.data(content))
            out += b"".join(writer.file_end())
        out += b"".join(writer.end())
        source = Source(task or f"tsk_{processor}", processor, writer.receipt(1), KEY)
        self.objects[path_of(source.task, 1)] = bytes(out)
        return source

    def change(self, source: Source, place: int) -> None:
        """Flip a bit of an object."""
        path = path_of(source.task, 1)
        stored = bytearray(self.objects[path])
        stored[place] ^= 1
        self.objects[path] = bytes(stored)


def recipient(source: Source, **changes: Any) -> Recipient:
    """Whoever exported `source`."""
    described = {"contact": "Name and addresses"}
    one = Recipient(source.task, source.processor, "The CRM", "IE", None, described, Outcome.of((COPIED,)))
    return replace(one, **changes)


def package(sources: Sequence[Source], **changes: Any) -> Package:
    """The package of an answered request."""
    one = Package(
        request="req_01J00000000000000000000009",
        language=Language.ENGLISH,
        livemode=True,
        received_on=date(2026, 11, 2),
        answered_on=date(2026, 11, 20),
        created_at=NOW,
        controller="Example & Sons",
        country="NL",
        headline=Headline.FULFILLED,
        recipients=[recipient(source) for source in sources],
        sources=sources,
    )
    return replace(one, **changes)
