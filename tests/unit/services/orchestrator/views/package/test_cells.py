"""No cell of a table is taken for a formula, whichever way a spreadsheet splits it; nothing of a record is lost."""

import csv
import io
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.views.package.cells import MORE, MOST_COLUMNS, Columns, flatten, harmless, heading, row

BEGINS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
INVISIBLE = ' \t\r\n\x00\x0b\x1f\x7f\xa0\xad\u200b\u200e\u2028\u2060\u3000\ufeff"'
hostile = st.text(st.sampled_from(f"{BEGINS}{INVISIBLE};|,'ab1é"), max_size=12)
texts = st.one_of(hostile, st.text(max_size=20))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
records = st.dictionaries(texts, values, max_size=5)


def table(many: list[dict[str, Any]]) -> tuple[tuple[str, ...], bytes]:
    columns = Columns()
    for one in many:
        columns.learn(one)
    return columns.names, heading(columns.names) + b"".join(row(columns.names, one) for one in many)


def read(content: bytes, delimiter: str = ",") -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def dangerous(cell: str) -> bool:
    """Whether the first thing in a cell that shows is the beginning of a formula; judged apart from the code."""
    for sign in cell:
        if sign in BEGINS:
            return True
        if not (sign in INVISIBLE or unicodedata.category(sign) in {"Cc", "Cf", "Zs", "Zl", "Zp"}):
            return False
    return False


@given(st.lists(records, min_size=1, max_size=4))
def test_no_cell_begins_like_a_formula_for_whoever_splits_at_commas(many: list[dict[str, Any]]) -> None:
    _, content = table(many)
    cells = [cell for line in read(content) for cell in line]
    assert [cell for cell in cells if dangerous(cell) or cell.startswith(("\t", "\r", "\n", "\x00"))] == []


@given(st.lists(records, min_size=1, max_size=4), st.sampled_from(";\t|"))
def test_nor_for_whoever_splits_elsewhere(many: list[dict[str, Any]], delimiter: str) -> None:
    _, content = table(many)
    for line in content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        for cell in line.split(delimiter):
            assert not dangerous(cell.replace('"', ""))


@given(st.lists(records, max_size=4))
def test_a_table_has_a_row_for_each_record_and_every_value_in_it(many: list[dict[str, Any]]) -> None:
    columns, content = table(many)
    lines = read(content)
    if not columns:
        return
    assert lines[0] == [harmless(column) for column in columns]
    assert len(lines) == len(many) + 1
    for line, one in zip(lines[1:], many, strict=True):
        found = dict(zip(columns, line, strict=True))
        more = json.loads(found[MORE].lstrip("'")) if found.get(MORE) else {}
        for column, text in flatten(one):
            assert found[column] == harmless(text) if column in found and column not in more else more[column] == text


@given(records)
def test_two_paths_of_a_record_never_share_a_column(one: dict[str, Any]) -> None:
    columns = [column for column, _ in flatten(one)]
    assert len(columns) == len(set(columns))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+31201234567", "'+31201234567"),
        ("  -2", "'  -2"),
        ("\uff1dHYPERLINK()", "'\uff1dHYPERLINK()"),
        ("\u200b@SUM(A1)", "'\u200b@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a;=cmd()", "a;'=cmd()"),
        ("a\n=cmd()", "a\n'=cmd()"),
        ("Jane - of Leiden", "Jane - of Leiden"),
        ("jane@example.com", "jane@example.com"),
        ("2026-11-20", "2026-11-20"),
        ("", ""),
    ],
)
def test_an_apostrophe_stands_only_where_a_formula_could_begin(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_nested_fields_become_columns_that_say_where_they_were() -> None:
    one = {"name": "Jane", "home": {"city": "Leiden", "tags": ["a", "b"], "empty": {}}, "a.b": 1, "none": None}
    assert list(flatten(one)) == [
        ("name", "Jane"),
        ("home.city", "Leiden"),
        ("home.tags", '["a", "b"]'),
        ("home.empty", "{}"),
        ("a\\.b", "1"),
        ("none", ""),
    ]


def test_a_table_never_gets_more_columns_than_anybody_could_read_and_loses_nothing() -> None:
    many = [{f"key {number}": str(number)} for number in range(3 * MOST_COLUMNS)]
    columns, content = table(many)
    assert len(columns) == MOST_COLUMNS + 1
    lines = read(content)
    assert lines[-1][-1] == json.dumps({f"key {len(many) - 1}": str(len(many) - 1)})
    assert set(lines[-1][:-1]) == {""}
