"""What the orchestrator is told by its environment, beyond what every service is."""

from pathlib import Path

from pydantic import Field

from services.chassis.object_settings import ExportSettings

DAY = 86_400.0
# Beside `services`, in a checkout as in an installed wheel.
SHIPPED_RETENTION = Path(__file__).resolve().parents[2] / "deploy" / "config" / "retention.toml"


class OrchestratorSettings(ExportSettings):
    """Durations are in seconds. The controller is the company that answers to the subject."""

    controller_name: str = "Example Controller"
    controller_country: str = Field(default="NL", pattern=r"^[A-Z]{2}$")
    controller_zone: str = "Europe/Amsterdam"
    cooling_off: float = Field(default=0.0, ge=0, description="between filing and the first effect; cancellable")
    silence_attention: float = Field(
        default=900.0, gt=0, description="until a silent task or notice is shown to an operator"
    )
    silence_redispatch: tuple[float, ...] = Field(
        default=(3_600.0, DAY, 3 * DAY), description="until it is sent again; the last one repeats"
    )
    task_lifetime: float = Field(default=6.5 * DAY, gt=0, description="how long a dispatched message may be acted on")
    forget_after: float = Field(default=45 * DAY, gt=0, description="until a host forgets the subject by itself")
    shred_after: float = Field(
        default=30 * DAY,
        ge=0,
        description="from completion until its key is deleted; up to three times that while the answer is unsent",
    )
    retention_file: Path = Field(default=SHIPPED_RETENTION, description="which data is kept, and for how long")
    package_lifetime: float = Field(
        default=30 * DAY, gt=0, description="from completion until the copy of an answered access is given up"
    )
    package_reminder: float = Field(
        default=5 * DAY,
        ge=0,
        description="before a copy is given up that nobody has fetched, it is shown to an operator",
    )
    batch: int = Field(default=500, ge=1, le=5_000)
    replication: int | None = Field(default=None, ge=1, description="copies of a topic; default three, or all brokers")
