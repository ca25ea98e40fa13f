"""Reads the folder of one enrolled processor: settings, keys and secrets, with plain words for what is wrong."""

import base64
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.message import ProcessorId
from services.chassis.crypto.keys import ProcessorKeys

KEY_FILE = "enrolment.key"
KEY_FILES = "enrolment*.key"  # a further version lies beside the first: enrolment.2.key
SETTINGS_FILE = "settings.toml"
SECRETS_FOLDER = "secrets"


class BrokenEnrolment(ValueError):
    """A folder can not be served; the message names the file or setting and the mend, never a value."""


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    processor: ProcessorId
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    enrolment: Annotated[str, Field(pattern=r"^enr_[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    version: Annotated[int, Field(ge=1)]
    secret: Annotated[str, Field(repr=False)]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One enrolled processor. `keys` from the newest version down; `settings` holds secrets too."""

    processor: str
    kind: str
    keys: tuple[ProcessorKeys, ...]
    settings: Mapping[str, Any] = field(repr=False)


Signature = tuple[tuple[str, int, int], ...]


def signature(folder: Path) -> Signature:
    """Return names, times and sizes of the folder's files: it changes when any of them does."""
    files = [folder / SETTINGS_FILE, *sorted(folder.glob(KEY_FILES))]
    files += _secret_files(folder)
    seen = []
    for file in files:
        try:
            told = file.stat()
        except OSError:
            continue
        seen.append((str(file.relative_to(folder)), told.st_mtime_ns, told.st_size))
    return tuple(seen)


def read(folder: Path) -> Enrolment:
    """Return what `folder` enrols; raise `BrokenEnrolment`."""
    files = sorted(folder.glob(KEY_FILES))
    if not files:
        raise BrokenEnrolment(f"{KEY_FILE} is missing: enrol the processor")
    parts = [_key_file(file) for file in files]
    first = parts[0]
    for file, part in zip(files, parts, strict=True):
        if part.processor != folder.name:
            raise BrokenEnrolment(f"{file.name} belongs to another processor than the folder is named for")
        if (part.kind, part.enrolment) != (first.kind, first.enrolment):
            raise BrokenEnrolment(f"{file.name} belongs to another enrolment than {files[0].name}")
    keys = [ProcessorKeys.from_secret(part.processor, part.version, _secret(part)) for part in parts]
    newest_first = tuple(sorted(keys, key=lambda one: one.version, reverse=True))
    return Enrolment(first.processor, first.kind, newest_first, {**_settings(folder), **_secrets(folder)})


def _key_file(file: Path) -> _KeyFile:
    try:
        return _KeyFile.model_validate_json(_private(file))
    except ValidationError as error:
        names = sorted({str(one["loc"][0]) if one["loc"] else "JSON" for one in error.errors(include_input=False)})
        raise BrokenEnrolment(f"{file.name} is malformed ({', '.join(names)}): enrol the processor again") from None


def _secret(part: _KeyFile) -> bytes:
    try:
        secret = base64.b64decode(part.secret, validate=True)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise BrokenEnrolment(f"{KEY_FILE} is malformed (secret): enrol the processor again")
    return secret


def _settings(folder: Path) -> dict[str, Any]:
    try:
        with (folder / SETTINGS_FILE).open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BrokenEnrolment(f"{SETTINGS_FILE} is not TOML: mend it") from None
    except OSError:
        raise BrokenEnrolment(f"{SETTINGS_FILE} cannot be read: mend its permissions") from None


def _secrets(folder: Path) -> dict[str, str]:
    found = {file.name: _private(file).strip() for file in _secret_files(folder)}
    for name, secret in found.items():
        if not secret:  # a shell empties a file before it writes it anew: what was served goes on meanwhile
            raise BrokenEnrolment(f"{name} is empty: write the secret into it")
    return found


def _secret_files(folder: Path) -> list[Path]:
    """Return the files that hold a secret each; hidden ones are still being written, or another tool's."""
    try:
        inside = sorted((folder / SECRETS_FOLDER).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [file for file in inside if not file.name.startswith(".") and file.is_file()]


def _private(file: Path) -> str:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BrokenEnrolment(f"{file.name} cannot be read: mend its permissions") from None
    if mode & 0o077:
        raise BrokenEnrolment(f"{file.name} is open to others: run chmod 600 on it")
    return text
