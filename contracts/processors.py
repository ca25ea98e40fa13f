"""What a host tells of the processors that it serves, on the compacted topic `habeas.processors.v1`."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.message import Message, Moment, ProcessorId
from habeas.vocabulary import Action, IdentityType


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class WireAction(_Wire):
    """How an action is served."""

    idempotency: Annotated[str, Field(max_length=32)] = "nature"
    verify: bool = True
    verify_after: Annotated[float, Field(ge=0)] = 0.0


class WireCategory(_Wire):
    """One category of personal data."""

    name: Annotated[str, Field(max_length=64)]
    description: Annotated[str, Field(max_length=200)]


class WireManifest(_Wire):
    """The manifest as far as others need it: planning, the record of recipients and what a subject is told."""

    kind: Annotated[str, Field(max_length=40)]
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(max_length=80)]
    owner: Annotated[str, Field(max_length=120)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    safeguard: str | None = None
    accepts: tuple[IdentityType, ...]
    resolves: tuple[IdentityType, ...] = ()
    actions: dict[Action, WireAction]
    categories: tuple[WireCategory, ...] = ()
    fields: tuple[Annotated[str, Field(max_length=64)], ...] = Field(
        default=(), description="register keys that it can rectify"
    )
    after: tuple[str, ...] = ()

    def widens(self, approved: "WireManifest") -> bool:
        """Whether it may see, resolve or do more than `approved`: then an operator has to agree."""
        return (
            not set(self.accepts) <= set(approved.accepts)
            or not set(self.resolves) <= set(approved.resolves)
            or not self.actions.keys() <= approved.actions.keys()
        )


class ProcessorAnnounced(Message):
    """This processor is served, with this manifest and these key versions.

    `incarnation` is a hash of manifest and versions: the same announcement changes nothing.
    """

    TYPE: ClassVar[str] = "processor.announced"

    processor: ProcessorId
    kind: Annotated[str, Field(max_length=40)]
    manifest: WireManifest
    manifest_version: Annotated[int, Field(ge=1)]
    key_versions: tuple[int, ...]
    incarnation: Annotated[str, Field(max_length=64)]
    at: Moment
