"""The demo believes the vendors' books, and says no when one entry is wrong."""

from typing import Any

import pytest

from habeas.cli.demo_evidence import Holdings, judge
from habeas.cli.sandbox import Effect, Mail, Person

JANE = Person(email="jane@example.com", customer_id="c-1", name="Jane")
BEFORE: Holdings = {"c-1": {"hubspot": 1, "s3": 2}, "c-2": {"hubspot": 1, "s3": 1}}
AFTER: Holdings = {"c-1": {"hubspot": 0, "s3": 0}, "c-2": {"hubspot": 1, "s3": 1}}
EFFECTS = (
    Effect(vendor="hubspot", effect="contact.gdpr_delete", target="contact/1", person="jane@example.com"),
    Effect(vendor="s3", effect="object.delete", target="b/k@1", person="c-1"),
    Effect(vendor="s3", effect="object.delete", target="b/k@2", person="c-1"),
    Effect(vendor="s3", effect="object.delete", target="b/k@2", person="c-1", changed=False),
)
MAILS = (Mail(to=JANE.email, subject="Received", text=""), Mail(to=JANE.email, subject="Done", text=""))


def failing(**changes: Any) -> list[str]:
    evidence = {"before": BEFORE, "after": AFTER, "effects": EFFECTS, "mails": MAILS, **changes}
    return [check.what for check in judge(JANE, **evidence) if not check.passed]


def test_all_is_well() -> None:
    assert failing() == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"before": {**BEFORE, "c-1": {"hubspot": 1, "s3": 0}}}, "before, the person's data lay at hubspot 1, s3 0"),
        ({"after": {**AFTER, "c-1": {"hubspot": 0, "s3": 1}}}, "now, the vendors hold hubspot 0, s3 1 of it"),
        ({"effects": EFFECTS[:1]}, "1 things were erased, at hubspot"),
        ({"effects": (*EFFECTS, EFFECTS[0])}, "each thing was erased exactly once, by the vendors' ledgers"),
        ({"after": {**AFTER, "c-2": {"hubspot": 0, "s3": 1}}}, "1 other people have what they had"),
        ({"mails": ()}, "the person got 0 mails, each once"),
        ({"mails": (*MAILS, MAILS[1])}, "the person got 3 mails, each once"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], what: str) -> None:
    assert failing(**changes) == [what]


@pytest.mark.parametrize("person", ["c-2", None])
def test_a_change_of_somebody_else_fails(person: str | None) -> None:
    other = Effect(vendor="s3", effect="object.delete", target="b/other@1", person=person)
    assert failing(effects=(*EFFECTS, other)) == ["no call changed anything of anybody else"]


def test_no_effects_at_all_is_no_success() -> None:
    assert "each thing was erased exactly once, by the vendors' ledgers" in failing(effects=())
