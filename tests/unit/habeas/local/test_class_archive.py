"""The archive of classes is written by the first broker and used by the next ones with the same Java and jars."""

from pathlib import Path

import pytest

from habeas.local import places
from habeas.local.class_archive import ClassArchive
from habeas.local.preflight import Java

JARS = [Path("/jars/a.jar"), Path("/jars/b.jar")]


def test_the_first_broker_writes_and_the_next_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "cache" / "kafka").mkdir(parents=True)
    home = tmp_path / "home"
    home.mkdir()
    java = Java("/usr/bin/java", 'version "17"')
    first = ClassArchive(java, JARS, home)
    assert first.flags() == [f"-XX:ArchiveClassesAtExit={home / 'classes.jsa'}"]
    assert first.using() == []  # what formats the data ends before the broker starts, and writes none
    first.keep()  # a broker that was killed wrote nothing
    assert "ArchiveClassesAtExit" in ClassArchive(java, JARS, home).flags()[0]
    (home / "classes.jsa").write_bytes(b"archive")
    first.keep()
    (flag,) = ClassArchive(java, JARS, tmp_path / "other").flags()
    assert ClassArchive(java, JARS, tmp_path / "other").using() == [flag]
    assert Path(flag.removeprefix("-XX:SharedArchiveFile=")).read_bytes() == b"archive"
    assert list(home.iterdir()) == []
    for other in (ClassArchive(Java("/usr/bin/java", "21"), JARS, home), ClassArchive(java, JARS[:1], home)):
        assert "ArchiveClassesAtExit" in other.flags()[0]
