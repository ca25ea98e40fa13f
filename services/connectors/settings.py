"""What the connector host is told by its environment."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.chassis.object_settings import ExportSettings


class ConnectorSettings(ExportSettings):
    """Settings of the connector host; durations in seconds.

    `processors_dir` has a folder for each enrolled processor; `only` (comma-separated ids) serves a part of them.
    `lease_seconds` is how long a dead worker's tasks wait for another; no vendor call outlives it.
    """

    processors_dir: Path
    only: Annotated[frozenset[str], NoDecode] = frozenset()
    lease_seconds: float = Field(default=30.0, ge=3.0, le=600.0)
    folder_poll: float = Field(default=1.0, gt=0, le=60.0)
    accept_after: float = Field(default=2.0, ge=0, le=60.0, description="unsettled for so long: say task.accepted")
    repeat_every: float = Field(
        default=300.0,
        gt=0,
        le=600.0,
        description="say task.accepted again; well below the orchestrator's silence_attention",
    )
    failing_attention: float = Field(
        default=900.0, gt=0, description="tries that fail for so long are shown to a person, and go on"
    )
    announce_every: float = Field(default=300.0, gt=0)
    finish_within: float = Field(default=6.0, ge=0, le=10.0, description="what tasks at hand get when the host stops")

    @field_validator("only", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value
