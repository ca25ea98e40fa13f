"""What was planted is found in bytes, in files and in their names, told by place and form, and never shown."""

from pathlib import Path

from tests.leaks.scanner import CHUNK, Hit, Scanner, files, written

VALUE = "jane.doe.qzxv"
SCANNER = Scanner({"e-mail address": VALUE, "phone number": "+31970105550123"})


def test_finds_each_thing_that_was_planted() -> None:
    data = f"to={VALUE.upper()} tel={b'+31970105550123'.hex()}".encode()
    assert SCANNER.hits("a log", data) == {
        Hit("a log", "e-mail address", "plain, in upper case"),
        Hit("a log", "phone number", "hex, as it is"),
    }
    assert SCANNER.in_all([("a", b"nobody"), ("b", VALUE.encode())]) == {Hit("b", "e-mail address", "plain, as it is")}


def test_a_hit_never_shows_the_value() -> None:
    (hit,) = SCANNER.hits("a log", VALUE.encode())
    assert VALUE not in repr(hit)


def test_finds_what_lies_across_two_chunks(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * (CHUNK - 5) + VALUE.encode() + b"x")
    assert {hit.what for hit in SCANNER.in_file(path, "it")} == {"e-mail address"}


def test_passes_over_holes_and_finds_what_lies_behind_them(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.seek(50_000_000)
        file.write(VALUE.encode())
        file.truncate(100_000_000)
    assert SCANNER.in_file(path, "it")
    assert sum(len(chunk) for chunk in written(path)) <= 100_000_000


def test_a_file_that_is_gone_has_ended(tmp_path: Path) -> None:
    assert SCANNER.in_file(tmp_path / "gone", "it") == set()


def test_looks_into_a_folder_and_at_its_names_but_not_where_it_must_not(tmp_path: Path) -> None:
    for name in ("logs/service.log", "sandbox/mail.eml", f"tmp/{VALUE}.json"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(VALUE)
    hits = SCANNER.in_folder(tmp_path, but=[tmp_path / "sandbox"])
    assert {hit.place for hit in hits} == {"logs/service.log", "a file's name", "a file with a telling name"}
    assert len(files(tmp_path)) == 3
