"""What every message body shares, and the registry that finds a model by its CloudEvents type."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

TYPE_PREFIX = "dev.habeas."


class Message(BaseModel):
    """A message's body: tolerant of fields that a later version adds, strict about those it knows.

    `TYPE` is the event type without prefix and version (`task.settled`); on the wire it reads
    `dev.habeas.task.settled.v1`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    livemode: bool

    @classmethod
    def wire_type(cls) -> str:
        """Return the CloudEvents `type`."""
        return f"{TYPE_PREFIX}{cls.TYPE}.v{cls.VERSION}"


ProcessorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
ClientId = Annotated[str, Field(pattern=r"^cli_[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Moment = Annotated[datetime, Field(description="RFC 3339, UTC")]
