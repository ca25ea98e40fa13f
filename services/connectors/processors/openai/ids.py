"""Reads the application's list of ids: what the vendor can not list, the application wrote down when it made it."""

import asyncio
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from habeas.sdk import ProcessorError

# What a line may speak of, by the category of this processor.
OBJECTS = {
    "file": "files",
    "vector_store": "vector_stores",
    "completion": "completions",
    "conversation": "conversations",
    "response": "responses",
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
# A longer line is no line of this file.
MOST_BYTES = 16 * 1024

Key = tuple[str, str]
"""Category and id of a thing."""


class IdsFileError(ProcessorError):
    """The list can not be read; its reason names the line. No part of it is believed until it is mended."""

    code = "ids_file_malformed"


@dataclass(frozen=True, slots=True)
class IdsFile:
    """A JSON Lines file that the application appends to. It is read anew, line by line, whenever it is asked.

    A line is `{"subject": "<customer id>", "object": "conversation", "id": "conv_..."}`; further members are ignored.
    Where two lines name the same thing the last one counts. Both methods raise `IdsFileError`.
    """

    path: Path

    async def of(self, subjects: Collection[str]) -> dict[Key, str]:
        """Return what belongs to `subjects`, with whose it is."""

        def read() -> dict[Key, str]:
            found: dict[Key, str] = {}
            for subject, key in self._lines():
                if subject in subjects:
                    found[key] = subject
                else:
                    found.pop(key, None)
            return found

        return await asyncio.to_thread(read)

    async def owners(self, keys: Collection[Key]) -> dict[Key, str]:
        """Return whose the things in `keys` are, as far as the list knows."""

        def read() -> dict[Key, str]:
            return {key: subject for subject, key in self._lines() if key in keys}

        return await asyncio.to_thread(read)

    def _lines(self) -> Iterator[tuple[str, Key]]:
        try:
            with self.path.open("rb") as file:
                number = 0
                while line := file.readline(MOST_BYTES + 1):
                    number += 1
                    yield _read(line, number)
        except OSError:
            raise IdsFileError("ids_file_unreadable") from None


def _read(line: bytes, number: int) -> tuple[str, Key]:
    """Return subject and thing of a line; one that is not understood may hide somebody's data, so it is an error."""
    try:
        document = json.loads(line) if len(line) <= MOST_BYTES else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IdsFileError(f"ids_file_malformed_line_{number}")
    subject, category, thing = document.get("subject"), document.get("object"), document.get("id")
    if not isinstance(subject, str) or not subject.strip() or not isinstance(thing, str) or not _ID.fullmatch(thing):
        raise IdsFileError(f"ids_file_malformed_line_{number}")
    if not isinstance(category, str) or category not in OBJECTS:
        raise IdsFileError(f"ids_file_unknown_object_line_{number}")
    return subject.strip(), (OBJECTS[category], thing)
