"""The Kafka broker's jars: copied once from Maven's repositories into the cache folder."""

import hashlib
from pathlib import Path

from habeas.local import places, preflight
from habeas.local.errors import LocalStackError
from habeas.local.supervisor import Supervisor

POM = Path("deploy") / "kafka" / "pom.xml"


def kafka_jars(owner: Supervisor, log: Path) -> list[Path]:
    """The class path of the broker, in a fixed order; downloaded at the first use (some 45 jars, 43 MB, 5 s).

    Maven is a child of `owner` and prints into `log`. Raises LocalStackError if Maven is missing or cannot get them.
    """
    pom = places.import_root() / POM
    folder = places.cache_folder() / "kafka" / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    with places.made_once(folder) as partial:
        if partial is not None:
            _download(pom, partial, owner, log)
    return sorted(folder.glob("*.jar"))


def _download(pom: Path, folder: Path, owner: Supervisor, log: Path) -> None:
    maven = preflight.maven()
    folder.mkdir(parents=True)
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={folder}")
    command: list[str | Path] = [maven, "-q", "-B", "-f", pom, *goal]
    if not owner.run("maven", command, log=log):
        preflight.cache(places.cache_folder())  # it may be full by now
        problem = f"Maven could not get Kafka's jars; look at the end of {log}, mend the network or Maven's settings."
        raise LocalStackError(problem)
