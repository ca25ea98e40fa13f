"""Looks, before anything is started, whether this machine has what the local stack needs, and says what to do."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from habeas.local.errors import LocalStackError

NEEDED_PACKAGES = ("aiokafka", "asyncpg", "uvicorn", "boto3", "moto", "aiosmtpd")  # one or two of each extra
OLDEST_JAVA = 17
LEAST_DISK = 1 << 30  # bytes
LEAST_CACHE = 256 << 20  # bytes: the jars, and the classes that the broker reads ahead
OTHER_HOME = "choose another home"
OTHER_CACHE = "set XDG_CACHE_HOME to another folder"


@dataclass(frozen=True)
class Java:
    """A Java on this machine: its path, and what `java -version` prints."""

    path: str
    told: str


def packages() -> None:
    """Look whether the Python packages of the services are installed. Raises LocalStackError if not."""
    missing = [name for name in NEEDED_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        problem = f"The services need {', '.join(missing)}; run: pip install 'habeas[local,server,s3,sandbox]'"
        raise LocalStackError(problem)


def java() -> Java:
    """A Java that can run the broker: of `JAVA_HOME`, or else of `PATH`.

    Raises LocalStackError if there is none or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        problem = f"No Java {where}; install Java {OLDEST_JAVA} or newer, or set HABEAS_KAFKA_BOOTSTRAP."
        raise LocalStackError(problem)
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = java_version(told.stderr)
    if told.returncode != 0 or version is None:  # macOS has a `java` that only says where to get one
        problem = f"{found} does not run; install Java {OLDEST_JAVA} or newer, or set HABEAS_KAFKA_BOOTSTRAP."
        raise LocalStackError(problem)
    if version < OLDEST_JAVA:
        problem = f"{found} is Java {version}; install Java {OLDEST_JAVA} or newer, or point JAVA_HOME to one."
        raise LocalStackError(problem)
    return Java(found, told.stderr)


def java_version(told: str) -> int | None:
    """The feature release in what `java -version` prints: 17 for `17.0.15`, 8 for `1.8.0_412`, None for neither."""
    match = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(match.group(1)) if match else None


def maven() -> str:
    """The path of Maven. Raises LocalStackError if there is none."""
    found = shutil.which("mvn")
    if found is None:
        raise LocalStackError(
            "Maven (mvn) is not on the PATH and Kafka's jars are not here yet; install Maven, "
            "or set HABEAS_KAFKA_BOOTSTRAP."
        )
    return found


def home(folder: Path) -> None:
    """Look whether the stack can keep its data in `folder`. Raises LocalStackError if not."""
    writable(folder, OTHER_HOME)
    disk(folder, LEAST_DISK, OTHER_HOME)


def cache(folder: Path) -> None:
    """Look whether what is fetched once can be kept in `folder`. Raises LocalStackError if not."""
    writable(folder, OTHER_CACHE)
    disk(folder, LEAST_CACHE, OTHER_CACHE)


def disk(folder: Path, least: int, instead: str) -> None:
    """Look whether the disk of `folder` has room. Raises LocalStackError if fewer than `least` bytes are free."""
    free = shutil.disk_usage(_existing(folder)).free
    if free < least:
        problem = (
            f"Only {free >> 20} MiB are free on the disk of {folder} and {least >> 20} are needed; "
            f"make room or {instead}."
        )
        raise LocalStackError(problem)


def writable(folder: Path, instead: str) -> None:
    """Look whether we may write in `folder`, or make it. Raises LocalStackError if not."""
    if not os.access(_existing(folder), os.W_OK | os.X_OK):
        problem = f"You may not write in {folder}; change its owner or {instead}."
        raise LocalStackError(problem)


def _existing(folder: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
