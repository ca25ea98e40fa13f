"""Where the local stack keeps and finds its files."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import habeas
from habeas.local.errors import LocalStackError

# Others may pass through a home, not list it: a server that gave up root must reach its data below.
# Every file in a home that is worth reading is 0600.
HOME_MODE = 0o711
LOG_KEPT = 10_000_000  # bytes


def cache_folder() -> Path:
    """The folder for what can be made again: jars, programs, port locks (XDG Base Directory Specification)."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(given) if given.startswith("/") else Path.home() / ".cache"
    return root / "habeas"


def import_root() -> Path:
    """The folder that `services` and `contracts` are imported from: inside an installed wheel, or the checkout."""
    package = Path(habeas.__file__).resolve().parent
    for folder in (package / "_server", package.parent):
        if (folder / "services").is_dir():
            return folder
    problem = f"The services were not found beside {package}; install habeas[server,sandbox]."
    raise LocalStackError(problem)


def make_home(home: Path, mode: int = HOME_MODE) -> Path:
    """Make `home` and its parents, and give its absolute path."""
    home = home.absolute()
    try:
        home.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        problem = f"Cannot make the folder {home} ({error.strerror}); choose another home."
        raise LocalStackError(problem) from error
    return home


def write_private(path: Path, content: str) -> None:
    """Write `content` to `path`, whole or not at all, readable by its owner only (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    partial.replace(path)


def open_log(path: Path) -> IO[bytes]:
    """Open a file (0600) to append to; one that has grown beyond LOG_KEPT is moved aside first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_KEPT:
        path.replace(path.with_name(f"{path.name}.old"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb")


def kept_secret(path: Path) -> str:
    """The secret kept in `path`, made at random (43 characters of base64url) when there is none yet."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Make `folder` whole or not at all, by one process at a time.

    Gives the path to make it at, or None if it is there already. After the block the path becomes `folder`; if the
    block raises, or the process dies in it, the next caller starts anew.
    """
    if folder.exists():
        yield None
        return
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            yield None
            return
        shutil.rmtree(partial, ignore_errors=True)
        yield partial
        partial.replace(folder)
