"""Files are made whole or not at all, private where they must be, and once where that is enough."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from habeas.local import places
from habeas.local.errors import LocalStackError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_cache_folder_follows_the_desktop_convention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert places.cache_folder() == tmp_path / "habeas"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert places.cache_folder() == Path.home() / ".cache" / "habeas"


def test_the_import_root_holds_the_services_and_the_brokers_pom() -> None:
    root = places.import_root()
    assert (root / "services").is_dir()
    assert (root / "deploy" / "kafka" / "pom.xml").is_file()


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secret"
    first = places.kept_secret(path)
    assert len(first) == 43
    assert places.kept_secret(path) == first
    assert mode(path) == 0o600
    assert places.kept_secret(tmp_path / "other") != first


def test_a_private_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old, and readable by all")
    path.chmod(0o644)
    places.write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_log_that_has_grown_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LOG_KEPT", 10)
    path = tmp_path / "logs" / "part.log"
    for line in (b"first line\n", b"second\n"):
        with places.open_log(path) as log:
            log.write(line)
    assert path.read_text() == "second\n"
    assert path.with_name("part.log.old").read_text() == "first line\n"
    assert mode(path) == 0o600


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalStackError, match=r"Cannot make the folder .* choose another home"):
        places.make_home(tmp_path / "file" / "home")


def test_what_is_made_once_is_made_again_only_after_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "thing"

    def fail_half_way() -> None:
        with places.made_once(folder) as partial:
            assert partial is not None
            partial.mkdir()
            (partial / "half").touch()
            raise ValueError

    with pytest.raises(ValueError):
        fail_half_way()
    assert not folder.exists()
    with places.made_once(folder) as partial:
        assert partial is not None
        assert not partial.exists()
        partial.mkdir()
    with places.made_once(folder) as partial:
        assert partial is None


def test_what_is_made_once_is_made_by_one_of_many(tmp_path: Path) -> None:
    folder = tmp_path / "thing"
    makers = []

    def make(number: int) -> None:
        with places.made_once(folder) as partial:
            if partial is not None:
                partial.mkdir()
                makers.append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    assert len(makers) == 1
