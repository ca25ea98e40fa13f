"""Each missing part gives one plain line that says what to do."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from habeas.local import preflight
from habeas.local.errors import LocalStackError
from habeas.local.kafka_jars import kafka_jars
from habeas.local.stack import Stack


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def only_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def one_line(error: pytest.ExceptionInfo[LocalStackError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_java_that_is_new_enough_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = program(tmp_path, "java", "echo 'openjdk version \"21.0.2\" 2024-01-16' >&2")
    only_on_path(monkeypatch, tmp_path)
    assert preflight.java().path == str(java)


def test_java_home_goes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "old", "java", "echo 'java version \"1.8.0_412\"' >&2")
    java = program(tmp_path / "jdk" / "bin", "java", "echo 'openjdk version \"17\" 2021-09-14' >&2")
    only_on_path(monkeypatch, tmp_path / "old")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert preflight.java().path == str(java)


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_on_path(monkeypatch, tmp_path)
    with pytest.raises(LocalStackError) as error:
        preflight.java()
    assert "No Java on the PATH; install Java 17 or newer" in one_line(error)


def test_java_home_that_holds_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(LocalStackError) as error:
        preflight.java()
    assert f"No Java in JAVA_HOME ({tmp_path})" in one_line(error)


def test_java_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "java", "echo 'openjdk version \"11.0.22\" 2024-01-16' >&2")
    only_on_path(monkeypatch, tmp_path)
    with pytest.raises(LocalStackError) as error:
        preflight.java()
    assert "is Java 11; install Java 17 or newer" in one_line(error)


def test_java_that_only_says_where_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    only_on_path(monkeypatch, tmp_path)
    with pytest.raises(LocalStackError) as error:
        preflight.java()
    assert "does not run; install Java 17" in one_line(error)


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_412"', 8),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ("command not found", None),
    ],
)
def test_java_version(told: str, version: int | None) -> None:
    assert preflight.java_version(told) == version


def test_no_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_on_path(monkeypatch, tmp_path)
    with pytest.raises(LocalStackError) as error:
        preflight.maven()
    assert "Maven (mvn) is not on the PATH" in one_line(error)
    assert "install Maven" in one_line(error)


def test_maven_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = program(tmp_path, "mvn", "exit 0")
    only_on_path(monkeypatch, tmp_path)
    assert preflight.maven() == str(maven)


def disks(monkeypatch: pytest.MonkeyPatch, **free: int) -> list[Path]:
    """Say how many bytes are free, by the name of a folder; return whose disk was asked after."""
    asked: list[Path] = []

    def usage(path: Path) -> Usage:
        asked.append(path)
        return Usage(10 << 30, 0, free.get(path.name, 9 << 30))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return asked


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks(monkeypatch, **{tmp_path.name: 300 << 20})
    with pytest.raises(LocalStackError) as error:
        preflight.home(tmp_path)
    assert one_line(error).startswith(f"Only 300 MiB are free on the disk of {tmp_path} and 1024 are needed;")
    assert "make room or choose another home" in one_line(error)


def test_full_disk_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks(monkeypatch, **{tmp_path.name: 20 << 20})
    with pytest.raises(LocalStackError) as error:
        preflight.cache(tmp_path)
    assert one_line(error).startswith(f"Only 20 MiB are free on the disk of {tmp_path} and 256 are needed;")
    assert "make room or set XDG_CACHE_HOME to another folder" in one_line(error)


def test_a_stack_looks_at_the_disk_of_its_cache_before_it_takes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "habeas").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked = disks(monkeypatch, habeas=20 << 20)
    with pytest.raises(LocalStackError, match="set XDG_CACHE_HOME to another folder"):
        Stack(tmp_path / "home")
    assert asked == [tmp_path / "home", tmp_path / "cache" / "habeas"]
    assert list((tmp_path / "home").iterdir()) == []
    assert list((tmp_path / "cache" / "habeas").iterdir()) == []


def test_a_download_that_filled_the_disk_is_not_put_down_to_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program(tmp_path, "mvn", "exit 1")
    only_on_path(monkeypatch, tmp_path)
    disks(monkeypatch, habeas=0, kafka=0)
    with pytest.raises(LocalStackError) as error:
        kafka_jars(Refusing(), tmp_path / "log")  # type: ignore[arg-type]
    assert one_line(error).startswith("Only 0 MiB are free")


class Refusing:
    """An owner of children whose every child fails."""

    def run(self, *_: object, **__: object) -> bool:
        return False


def test_disk_is_that_of_the_closest_folder_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = disks(monkeypatch)
    preflight.home(tmp_path / "not" / "yet")
    assert asked == [tmp_path]


@pytest.mark.parametrize(
    ("look", "instead"),
    [(preflight.home, "choose another home"), (preflight.cache, "set XDG_CACHE_HOME to another folder")],
)
def test_folder_that_may_not_be_written(
    look: Callable[[Path], None], instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(LocalStackError) as error:
        look(tmp_path / "home")
    assert one_line(error).startswith(f"You may not write in {tmp_path / 'home'}")
    assert one_line(error).endswith(f"{instead}.")


def test_folder_that_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks(monkeypatch)
    preflight.home(tmp_path / "not" / "yet")
    preflight.cache(tmp_path / "not" / "yet")


def test_packages_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "NEEDED_PACKAGES", ("pydantic", "no_such_package"))
    with pytest.raises(LocalStackError) as error:
        preflight.packages()
    assert one_line(error).startswith("The services need no_such_package; run: pip install")
