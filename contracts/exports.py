"""Exported data: where an attempt's object lies, what its receipt tells, how records and files stand in it.

One attempt at an export task writes one object, encrypted in the frames of `contracts.frames` under the task's export
key. Inside is a sequence of blocks: a type (1 byte), the length of the payload (4 bytes, big-endian), the payload.

    R  a record: JSON {"category": "contact", "fields": {...}}
    F  a file begins: JSON {"category": "files", "media_type": "image/png"}
    D  bytes of the file that began last
    E  that file is whole: JSON {"bytes": 12345}
    Z  the export is whole: JSON {"records": 12, "files": 1}; nothing follows

Whoever reads it believes nothing of an object that does not end in Z.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

RECORD = b"R"
FILE = b"F"
DATA = b"D"
FILE_END = b"E"
END = b"Z"

HEAD_LENGTH = 5
MOST_DATA = 1 << 20  # bytes in one D block
MOST_BLOCK = 16 << 20  # bytes in any block: a larger record is refused

KEY_LABEL = b"habeas export key v1"


class ExportReceipt(BaseModel):
    """What one attempt wrote: `attempt` names it, `size` and `sha256` are of the stored (encrypted) object."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    attempt: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=0, description="bytes")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    records: Annotated[int, Field(ge=0)]
    files: Annotated[int, Field(ge=0)]


def folder_of(task_id: str) -> str:
    """Return what the paths of all attempts at a task begin with."""
    return f"exports/{task_id}/"


def path_of(task_id: str, attempt: int) -> str:
    """Return where an attempt writes; `attempt` counts up and is never used again for one task."""
    return f"{folder_of(task_id)}{attempt:010d}.habeas"


def head(kind: bytes, length: int) -> bytes:
    """Return what precedes the payload of a block."""
    return kind + length.to_bytes(4, "big")
