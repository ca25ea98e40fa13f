"""What a host tells of the processors that it serves, on the compacted topic `habeas.processors.v1`."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from contracts.message import Message, Moment, ProcessorId


class ProcessorAnnounced(Message):
    """This processor is served, with this manifest (`habeas.sdk.Manifest` as JSON) and these key versions.

    `incarnation` is a hash of manifest and versions: the same announcement changes nothing.
    """

    TYPE: ClassVar[str] = "processor.announced"

    processor: ProcessorId
    kind: Annotated[str, Field(max_length=40)]
    manifest: dict[str, Any]
    manifest_version: Annotated[int, Field(ge=1)]
    key_versions: tuple[int, ...]
    incarnation: Annotated[str, Field(max_length=64)]
    at: Moment
