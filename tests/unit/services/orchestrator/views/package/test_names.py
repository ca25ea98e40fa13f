"""Names in a package are ours, whatever data says: no two alike, none that leads elsewhere or that a system refuses."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.views.package.contents import folders
from services.orchestrator.views.package.names import ENDINGS, MANIFEST, REPORT, ending, made
from services.orchestrator.views.package.sources import FileFound, Found, Inventory
from tests.unit.services.orchestrator.views.package.shelf import Shelf

PLAIN = re.compile(r"[a-z][a-z0-9_-]*(/[a-z][a-z0-9_-]*)*(/[0-9]{4,})?(\.[a-z0-9]+){1,2}")
words = st.one_of(
    st.sampled_from(
        ["contact", "../up", "a/b", "CON", "con", "nul", "category-01", "", ".", "..", "C:\\x", "a.b", "é"]
    ),
    st.text(max_size=70),
)
media_types = st.one_of(
    st.sampled_from([*ENDINGS, "IMAGE/PNG", "text/plain; charset=utf-8", "application/../../x"]), st.text(max_size=30)
)


@given(
    st.lists(st.sampled_from(["crm-eu", "files", "con", "crm-eu-2", "report", "processor-01"]), max_size=5),
    st.lists(words, max_size=6),
    st.lists(st.tuples(words, media_types), max_size=6),
)
def test_no_two_members_share_a_name_and_none_leads_elsewhere(
    processors: list[str], categories: list[str], files: list[tuple[str, str]]
) -> None:
    shelf = Shelf()
    found = {category: Found(1, 0, ()) for category in categories}
    filed = tuple(FileFound(category, media_type, 1) for category, media_type in files)
    sources = [shelf.put(processor, task=f"tsk_{number}") for number, processor in enumerate(processors)]
    named = [REPORT, MANIFEST]
    for folder in folders([Inventory(source, found, filed) for source in sources]):
        named += [folder.list_of(category) for category in found]
        named += [folder.table_of(category) for category in found]
        named += [name for name, _ in folder.filed()]
    assert len({name.casefold() for name in named}) == len(named)
    assert [name for name in named if not PLAIN.fullmatch(name)] == []
    parts = {part.partition(".")[0] for name in named for part in name.split("/")}
    assert not parts & {"con", "nul", "aux", "prn", "com1", "lpt1"}


@given(st.text())
def test_an_ending_comes_from_the_list_alone(media_type: str) -> None:
    assert ending(media_type) in {*ENDINGS.values(), "bin"}


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "text/csv"])
def test_what_a_browser_or_spreadsheet_would_run_is_text(media_type: str) -> None:
    assert ending(media_type).endswith(".txt")


def test_a_plain_word_keeps_its_name() -> None:
    assert made(["contact", "Notes & more", "category-01"], "category") == {
        "contact": "contact",
        "category-01": "category-01",
        "Notes & more": "category-02",
    }
