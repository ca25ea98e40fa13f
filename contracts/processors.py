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


class Asks(_Wire):
    """What a manifest asks for that the one before it did not: to see, to resolve and to do.

    `fields` are register keys whose old and new values it would be told, to correct them.
    """

    accepts: tuple[IdentityType, ...] = Field(default=(), description="identities that it would be told")
    resolves: tuple[IdentityType, ...] = Field(default=(), description="identities that it could add to a request")
    actions: tuple[Action, ...] = Field(default=(), description="what it could be asked to do")
    fields: tuple[str, ...] = Field(default=(), description="register keys whose corrections it would be told")

    @property
    def named(self) -> tuple[str, ...]:
        """All of it in words for a log: `accepts phone`, `does export`."""
        return (
            *(f"accepts {one}" for one in self.accepts),
            *(f"resolves {one}" for one in self.resolves),
            *(f"does {one}" for one in self.actions),
            *(f"corrects {one}" for one in self.fields),
        )


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

    def wider_than(self, approved: "WireManifest | None") -> Asks:
        """Return what it may see, resolve or do that `approved` may not: if anything, an operator has to agree.

        Where its data is and what kinds of data it holds is not asked for: it is so, and people must be told.
        """
        if approved is None:
            return Asks(accepts=self.accepts, resolves=self.resolves, actions=tuple(self.actions), fields=self.fields)
        return Asks(
            accepts=tuple(one for one in self.accepts if one not in approved.accepts),
            resolves=tuple(one for one in self.resolves if one not in approved.resolves),
            actions=tuple(one for one in self.actions if one not in approved.actions),
            fields=tuple(one for one in self.fields if one not in approved.fields),
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
