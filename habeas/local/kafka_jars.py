"""The Kafka broker's jars: copied once from Maven's repositories into the cache folder."""

import hashlib
import subprocess
from pathlib import Path

from habeas.local import places, preflight
from habeas.local.errors import LocalStackError

POM = Path("deploy") / "kafka" / "pom.xml"
LAST_LINES = 5


def kafka_jars() -> list[Path]:
    """The class path of the broker, in a fixed order; downloaded at the first use (some 45 jars, 43 MB, 5 s).

    Raises LocalStackError if Maven is missing or cannot get them.
    """
    pom = places.import_root() / POM
    folder = places.cache_folder() / "kafka" / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    with places.made_once(folder) as partial:
        if partial is not None:
            _download(pom, partial)
    return sorted(folder.glob("*.jar"))


def _download(pom: Path, folder: Path) -> None:
    maven = preflight.maven()
    folder.mkdir(parents=True)
    done = subprocess.run(
        [maven, "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = " ".join(done.stdout.split("\n")[:LAST_LINES]).strip()
        problem = f"Maven could not get Kafka's jars; check the network and Maven's settings, then try again: {reason}"
        raise LocalStackError(problem)
