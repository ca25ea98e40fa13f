"""Bodies of the public HTTP API about processors: who is enrolled, for what, and by whom."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from contracts.http import In, Out
from contracts.processors import Asks
from habeas.vocabulary import Action, IdentityType


class EnrolIn(In):
    """A processor to admit."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")] = Field(examples=["crm-eu"])
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")] = Field(examples=["hubspot"])
    livemode: bool = Field(
        default=True,
        description="false: for rehearsals, so it is asked by requests of `hab_test_...` keys and by no others; "
        "an id keeps its mode for ever",
    )


class EnrolmentOut(Out):
    """The enrolment secret, shown to whoever sets up the connector host; derived, so it is stored nowhere here."""

    object: Literal["enrolment"] = "enrolment"
    processor: str
    kind: str
    livemode: bool = True
    enrolment: str
    version: int
    secret: str = Field(repr=False, description="base64 of 32 bytes: goes into `enrolment.key`, or beside it")


class RevokeIn(In):
    """Which versions of a processor's secret are believed no more: all below this one."""

    below: Annotated[int, Field(ge=2, le=2**31 - 1, examples=[2])]


class ActOut(Out):
    """What somebody deliberately did with a processor; `detail` says more, by the kind of act."""

    act: Literal["enrolled", "approved", "rotated", "revoked", "retired"]
    at: datetime
    actor: str = Field(description="client id of who did it")
    detail: dict[str, Any] = Field(
        default={},
        description="`kind` and `enrolment` of an enrolment, `version` and what was newly `allowed` of an approval, "
        "`version` of a rotation, `below` of a revocation, `reason` of a retirement",
    )


class ProcessorOut(Out):
    """A processor as the orchestrator knows it."""

    id: str
    object: Literal["processor"] = "processor"
    kind: str
    livemode: bool = Field(default=True, description="the mode of the requests that it is asked by; false: rehearsals")
    state: Literal["enrolled", "announced", "retired"]
    title: str | None
    owner: str | None = None
    country: str | None = Field(default=None, description="where its data is, ISO 3166-1 alpha-2; as people are told")
    safeguard: str | None = Field(default=None, description="for a country outside the EEA: the ground of the transfer")
    moved_from: str | None = Field(default=None, description="the country that its manifest named before")
    moved_at: datetime | None = Field(default=None, description="when it took effect that it names another country")
    manifest_version: int | None
    pending_manifest_version: int | None
    pending_asks: Asks | None = Field(
        default=None,
        description="what the manifest that waits would newly be allowed; empty where it waits for its order alone",
    )
    actions: tuple[Action, ...]
    accepts: tuple[IdentityType, ...]
    resolves: tuple[IdentityType, ...]
    open_tasks: int
    enrolled_at: datetime
    enrolled_by: str | None = Field(default=None, description="client id of who enrolled it")
    approved_at: datetime | None = Field(default=None, description="when a manifest was approved last")
    approved_by: str | None = Field(default=None, description="client id of who approved it")
    announced_at: datetime | None
    retired_at: datetime | None
    retired_reason: str | None
    retired_by: str | None = Field(default=None, description="client id of who retired it")
    secret_version: int = Field(default=1, description="the newest version of its secret that was made")
    min_secret_version: int = Field(default=1, description="the oldest version that is believed")
    announced_versions: tuple[int, ...] = Field(default=(), description="the versions that its host says it holds")
    rotated_at: datetime | None = None
    rotated_by: str | None = Field(default=None, description="client id of who had the newest version made")
    revoked_at: datetime | None = None
    revoked_by: str | None = Field(default=None, description="client id of who revoked versions last")
    acts: tuple[ActOut, ...] = Field(
        default=(), description="what was last done with it on purpose, newest first, also under earlier enrolments"
    )
