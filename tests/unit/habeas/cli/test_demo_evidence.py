"""The demo believes the vendors' books, and says no when one entry is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from habeas.cli.demo_evidence import Books, judge
from habeas.cli.sandbox import Effect, Mail, Person

JANE = Person(email="jane@example.com", customer_id="c-1", name="Jane")


def effect(seq: int, vendor: str, target: str, person: str | None, **more: Any) -> Effect:
    return Effect(seq=seq, vendor=vendor, effect="delete", target=target, person=person, **more)


EARLIER = (effect(1, "s3", "b/k@2", "c-9"),)
EFFECTS = (
    *EARLIER,
    effect(1, "hubspot", "1", "jane@example.com"),
    effect(2, "s3", "b/k@1", "c-1"),
    effect(3, "s3", "b/k@2", "c-1"),
    effect(4, "s3", "b/k@2", "c-1", changed=False),
)
BEFORE = Books(held={"hubspot": 1, "s3": 2}, others="same", effects=EARLIER)
AFTER = Books(held={"hubspot": 0, "s3": 0}, others="same", effects=EFFECTS)
MAILS = (Mail(to=JANE.email, subject="Received", text=""), Mail(to=JANE.email, subject="Done", text=""))


def failing(before: Books = BEFORE, after: Books = AFTER, mails: tuple[Mail, ...] = MAILS) -> list[str]:
    return [check.what for check in judge(JANE, before=before, after=after, mails=mails) if not check.passed]


def test_all_is_well() -> None:
    assert failing() == []


def test_a_person_who_was_not_there_proves_nothing() -> None:
    held = {"hubspot": 1, "s3": 0}
    what = "before, the vendors held 1 things at hubspot, 0 things at s3"
    assert failing(before=replace(BEFORE, held=held)) == [what]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"held": {"hubspot": 0, "s3": 1}}, "now, they hold 0 things at hubspot, 1 things at s3"),
        ({"effects": EFFECTS[:2]}, "1 changes were made, at hubspot"),
        ({"effects": (*EFFECTS, effect(5, "s3", "b/k@1", "c-1"))}, "each of them was made exactly once"),
        ({"effects": (*EFFECTS, effect(5, "s3", "b/x", "c-2"))}, "none of them was made to anybody else's data"),
        ({"effects": (*EFFECTS, effect(5, "s3", "b/x", None))}, "none of them was made to anybody else's data"),
        ({"others": "another"}, "everything else that the vendors hold is what it was"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], what: str) -> None:
    assert failing(after=replace(AFTER, **changes)) == [what]


@pytest.mark.parametrize("mails", [(), (*MAILS, MAILS[1])])
def test_mails_come_and_come_once(mails: tuple[Mail, ...]) -> None:
    assert failing(mails=mails) == [f"the person got {len(mails)} mails, each once"]


def test_no_effects_at_all_is_no_success() -> None:
    assert "each of them was made exactly once" in failing(after=replace(AFTER, effects=EARLIER))
