"""The seal: what travels inside a message about a subject, as a compact JWE (RFC 7516) that any JOSE library opens."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import NoticeId, TaskId
from habeas.vocabulary import IdentityType, Language

ALG = "A256KW"  # RFC 7518 4.4: the content key is wrapped by the processor's sealing key
ENC = "A256GCM"  # RFC 7518 5.3: fresh content key and nonce for each message


class _Sealed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class SealedIdentity(_Sealed):
    """One identity of the subject."""

    type: IdentityType
    value: Annotated[str, Field(min_length=1, max_length=1024, repr=False)]


class SealedCorrection(_Sealed):
    """One correction: `field` is a key of the data register."""

    field: str
    old: str | None = Field(default=None, repr=False)
    new: str = Field(repr=False)


class SealedSubject(_Sealed):
    """What a task's seal holds. `task` binds it: a seal moved to another task is refused.

    `export_key` (exports only): base64url of the 32 bytes that the export's frames are encrypted with.
    """

    task: TaskId
    identities: tuple[SealedIdentity, ...]
    corrections: tuple[SealedCorrection, ...] = ()
    export_key: Annotated[str | None, Field(min_length=43, max_length=44, repr=False)] = None


class SealedFindings(_Sealed):
    """What a report's seal holds: identities that the processor resolved."""

    task: TaskId
    identities: tuple[SealedIdentity, ...]


class SealedNotice(_Sealed):
    """What a notice's seal holds: where it goes, and particulars that only the subject should read."""

    notice: NoticeId
    email: Annotated[str, Field(min_length=3, max_length=320, repr=False)]
    reference: str | None = Field(default=None, repr=False)
    language: Language = Language.ENGLISH
