"""The application's list of ids: whose things are, and no line passed over."""

import asyncio
from pathlib import Path

import pytest

from services.connectors.processors.openai.ids import MOST_BYTES, IdsFile, IdsFileError


def listed(tmp_path: Path, *lines: str) -> IdsFile:
    path = tmp_path / "ids.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return IdsFile(path)


def line(subject: str, thing: str, kind: str = "conversation") -> str:
    return f'{{"subject": "{subject}", "object": "{kind}", "id": "{thing}", "made": 1}}'


async def test_only_the_subjects_own_things_are_told(tmp_path: Path) -> None:
    ids = listed(tmp_path, line("c-1", "conv_1"), line("c-10", "conv_2"), line("c-1", "resp_1", "response"))
    assert await ids.of({"c-1"}) == {("conversations", "conv_1"): "c-1", ("responses", "resp_1"): "c-1"}
    assert await ids.of({"c-0"}) == {}
    assert await ids.owners({("conversations", "conv_2"), ("files", "file-1")}) == {("conversations", "conv_2"): "c-10"}


async def test_the_last_line_about_a_thing_counts(tmp_path: Path) -> None:
    ids = listed(tmp_path, line("c-1", "conv_1"), line("c-2", "conv_1"))
    assert await ids.of({"c-1"}) == {}
    assert await ids.of({"c-2"}) == {("conversations", "conv_1"): "c-2"}
    assert await ids.owners({("conversations", "conv_1")}) == {("conversations", "conv_1"): "c-2"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "malformed"),
        ('{"subject": "c-2"}', "malformed"),
        (line(" ", "conv_2"), "malformed"),
        (line("c-2", "../conv_2"), "malformed"),
        (line("c-2", ""), "malformed"),
        (line("c-2", "c" * 129), "malformed"),
        (line("c-2", "conv_2").replace('"c-2"', "7"), "malformed"),
        (line("c-2", "thread_1", "thread"), "unknown_object"),
        (line("c-2", "conv_2") + " " * MOST_BYTES, "malformed"),
    ],
)
async def test_a_line_that_is_not_understood_is_named_whomever_it_is_about(
    tmp_path: Path, bad: str, reason: str
) -> None:
    ids = listed(tmp_path, line("c-1", "conv_1"), bad, line("c-1", "conv_3"))
    with pytest.raises(IdsFileError) as caught:
        await ids.of({"c-1"})
    assert caught.value.reason == f"ids_file_{reason}_line_2"
    with pytest.raises(IdsFileError):
        await ids.owners(())


async def test_half_a_line_at_the_end_is_no_line_and_a_missing_file_is_no_empty_one(tmp_path: Path) -> None:
    ids = listed(tmp_path, line("c-1", "conv_1"))
    with ids.path.open("a") as file:
        file.write('{"subject": "c-')
    with pytest.raises(IdsFileError, match="ids_file_malformed_line_2"):
        await ids.of({"c-1"})
    await asyncio.to_thread(ids.path.unlink)
    with pytest.raises(IdsFileError, match="ids_file_unreadable"):
        await ids.of({"c-1"})


async def test_what_is_appended_later_is_seen(tmp_path: Path) -> None:
    ids = listed(tmp_path)
    assert await ids.of({"c-1"}) == {}
    with ids.path.open("a") as file:
        file.write(line("c-1", "conv_1") + "\n")
    assert await ids.of({"c-1"}) == {("conversations", "conv_1"): "c-1"}
