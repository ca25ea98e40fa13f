"""The demo believes the vendors' books, and says no when one entry is wrong."""

import json
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from habeas.cli.demo_evidence import (
    Books,
    Check,
    judge_access,
    judge_all,
    judge_erasure,
    judge_mails,
    judge_rectification,
)
from habeas.cli.demo_package import Copy
from habeas.cli.sandbox import Effect, Mail, Person

JANE = Person(email="jane@example.com", customer_id="c-1", name="Jane")
OTHER = Person(email="other@example.com", customer_id="c-2", name="Other")
OLD, NEW = "+442079460001", "+442079460999"


def effect(seq: int, vendor: str, target: str, person: str | None, **more: Any) -> Effect:
    return Effect(seq=seq, vendor=vendor, effect="delete", target=target, person=person, **more)


def books(**changes: Any) -> Books:
    held = {"hubspot": 1, "openai": 3, "s3": 2, "stripe": 4}
    fields: dict[str, Any] = {
        "held": {"c-1": held},
        "kept": {"c-1": 2},
        "phones": {"c-1": {"hubspot": [OLD], "stripe": [OLD]}},
        "states": {"c-1": "as it was"},
        "others": "the rest",
        "effects": (effect(1, "s3", "b/k@0", "c-9"),),
    }
    return Books(**{**fields, **changes})


BEFORE = books()
GONE = {"c-1": dict.fromkeys(("hubspot", "openai", "s3", "stripe"), 0)}
ERASING = (
    *BEFORE.effects,
    effect(1, "hubspot", "1", "jane@example.com"),
    effect(1, "openai", "file-1", "c-1"),
    effect(2, "s3", "b/k@1", "c-1"),
    effect(3, "s3", "b/k@1", "c-1", changed=False),
    effect(1, "stripe", "cus_1", "c-1"),
)
ERASED = books(held=GONE, effects=ERASING, states={"c-1": "gone"})
CORRECTING = (*BEFORE.effects, effect(1, "hubspot", "1", "jane@example.com"), effect(1, "stripe", "cus_1", "c-1"))
CORRECTED = books(phones={"c-1": {"hubspot": [NEW], "stripe": [NEW]}}, effects=CORRECTING)


def failing(checks: list[Check]) -> list[str]:
    return [check.what for check in checks if not check.passed]


def test_an_erasure_that_left_what_the_law_keeps_is_well() -> None:
    assert failing(judge_erasure(JANE, before=BEFORE, after=ERASED)) == []


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({}, {"held": {"c-1": {**GONE["c-1"], "s3": 1}}}, "now, they hold"),
        ({"held": {"c-1": {**BEFORE.held["c-1"], "openai": 0}}}, {}, "before, the vendors held"),
        ({}, {"kept": {"c-1": 1}}, "but for 2 records of payments"),
        ({"kept": {"c-1": 0}}, {"kept": {"c-1": 0}}, "but for 0 records of payments"),
        ({}, {"effects": ERASING[:-1]}, "changes were made at hubspot, openai, s3"),
    ],
)
def test_what_is_wrong_with_an_erasure_is_named(before: dict[str, Any], after: dict[str, Any], what: str) -> None:
    (found,) = failing(judge_erasure(JANE, before=replace(BEFORE, **before), after=replace(ERASED, **after)))
    assert found.startswith(what)


def test_a_correction_everywhere_is_well() -> None:
    assert failing(judge_rectification(JANE, NEW, before=BEFORE, after=CORRECTED)) == []


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ({"phones": {"c-1": {"hubspot": [NEW], "stripe": [OLD]}}}, "the new one is there now, and the old one nowhere"),
        (
            {"phones": {"c-1": {"hubspot": [NEW, OLD], "stripe": [NEW]}}},
            "the new one is there now, and the old one nowhere",
        ),
        ({"phones": {"c-1": {"hubspot": [], "stripe": [NEW]}}}, "the new one is there now, and the old one nowhere"),
        ({"effects": (*CORRECTING, effect(9, "openai", "x", "c-1"))}, "3 changes were made, nowhere else"),
        ({"held": GONE}, "nothing of this person was lost"),
    ],
)
def test_what_is_wrong_with_a_correction_is_named(after: dict[str, Any], what: str) -> None:
    assert failing(judge_rectification(JANE, NEW, before=BEFORE, after=replace(CORRECTED, **after))) == [what]


def test_each_change_is_made_once_and_to_nobody_else() -> None:
    assert failing(judge_all([JANE], before=BEFORE, after=ERASED)) == []


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ({"effects": (*ERASING, effect(9, "s3", "b/k@1", "c-1"))}, "5 changes were made in all, each exactly once"),
        ({"effects": BEFORE.effects}, "0 changes were made in all, each exactly once"),
        ({"effects": (*ERASING, effect(9, "s3", "b/x", "c-2"))}, "none of them was made to anybody else's data"),
        ({"effects": (*ERASING, effect(9, "s3", "b/x", None))}, "none of them was made to anybody else's data"),
        ({"others": "another"}, "everything else that the vendors hold is what it was"),
    ],
)
def test_what_is_wrong_with_everybody_else_is_named(after: dict[str, Any], what: str) -> None:
    assert failing(judge_all([JANE], before=BEFORE, after=replace(ERASED, **after))) == [what]


@pytest.mark.parametrize(("subjects", "passed"), [(["Got it", "Done"], True), ([], False), (["Done", "Done"], False)])
def test_mails_come_and_come_once(subjects: list[str], *, passed: bool) -> None:
    mails = [Mail(to=JANE.email, subject=one, text="") for one in subjects]
    check = judge_mails(JANE, mails)
    assert (check.passed, check.what) == (passed, f"Jane got {len(mails)} mails, each once")


def a_package(folder: Path, files: dict[str, str], *, told: dict[str, str] | None = None) -> Copy:
    """Return what a package of `files` holds; its manifest tells of them, or of `told`."""
    members = [{"name": name, "sha256": sha256(text.encode()).hexdigest()} for name, text in (told or files).items()]
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
        package.writestr("manifest.json", json.dumps({"members": members}))
    return Copy.read(path)


FILES = {
    "report.html": "<p>Your data</p>",
    "ai/files.json": "[]",
    "billing/customer.csv": "email\r\nJane@Example.com\r\n",
    "crm-eu/contact.json": '[{"email": "jane@example.com"}]',
    "files/files/0001.bin": "x",
}


def test_a_copy_of_everything_is_well(tmp_path: Path) -> None:
    checks = judge_access(JANE, before=BEFORE, after=BEFORE, copy=a_package(tmp_path, FILES), others=[OTHER])
    assert failing(checks) == []


@pytest.mark.parametrize(
    ("files", "told", "what"),
    [
        (FILES, {**FILES, "ai/files.json": "[1]"}, "the package is whole: 5 files, each as its manifest says"),
        (FILES, {**FILES, "ai/more.json": "[]"}, "the package is whole: 5 files, each as its manifest says"),
        ({**FILES, "crm-eu/x.json": "other@example.com"}, None, "nobody else's address is in it"),
    ],
)
def test_what_is_wrong_with_a_copy_is_named(
    tmp_path: Path, files: dict[str, str], told: dict[str, str] | None, what: str
) -> None:
    copy = a_package(tmp_path, files, told=told)
    assert failing(judge_access(JANE, before=BEFORE, after=BEFORE, copy=copy, others=[OTHER])) == [what]


def test_a_copy_that_lacks_a_processor_or_the_person_is_named(tmp_path: Path) -> None:
    copy = a_package(tmp_path, {"report.html": "", "ai/files.json": "[]"})
    wrong = failing(judge_access(JANE, before=BEFORE, after=BEFORE, copy=copy, others=[OTHER]))
    assert wrong == ["data of 1 processors is in it", "the data in it is this person's"]


def test_an_access_that_changed_something_is_named(tmp_path: Path) -> None:
    after = replace(BEFORE, states={"c-1": "changed"})
    wrong = failing(judge_access(JANE, before=BEFORE, after=after, copy=a_package(tmp_path, FILES), others=[OTHER]))
    assert wrong == ["and what the vendors hold is what it was"]
