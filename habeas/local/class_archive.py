"""The JVM's archive of the broker's classes, which takes a third off its start (class data sharing, JEP 350)."""

import hashlib
import shutil
from pathlib import Path

from habeas.local import places
from habeas.local.preflight import Java


class ClassArchive:
    """Written by the first broker that ends in good order, used by all later ones with the same Java and jars.

    A JVM that finds the archive unfit says so in its log and starts without it.
    """

    def __init__(self, java: Java, jars: list[Path], home: Path) -> None:
        """Name the archive after all that it depends on; until it is whole it lies in `home`."""
        depends_on = "\n".join([java.path, java.told, *map(str, jars)])
        self._path = places.cache_folder() / "kafka" / f"{hashlib.sha256(depends_on.encode()).hexdigest()[:16]}.jsa"
        self._fresh = home / "classes.jsa"

    def flags(self) -> list[str]:
        """What a broker's JVM is to be told: use the archive, or write it when it ends."""
        if using := self.using():
            return using
        self._fresh.unlink(missing_ok=True)
        return [f"-XX:ArchiveClassesAtExit={self._fresh}"]

    def using(self) -> list[str]:
        """What any other JVM with the same jars is to be told: use the archive, if there is one."""
        return [f"-XX:SharedArchiveFile={self._path}"] if self._path.exists() else []

    def keep(self) -> None:
        """Move what the JVM wrote to where others find it; to be called once the JVM has ended in good order."""
        if not self._fresh.exists():
            return
        partial = self._path.with_name(f".{self._path.name}.{self._fresh.stat().st_ino}")
        shutil.move(self._fresh, partial)
        partial.replace(self._path)
