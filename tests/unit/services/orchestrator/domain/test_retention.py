"""The retention file: what ships, which rules a processor gets, and what each mistake is answered with."""

from pathlib import Path

import pytest

from contracts.tasks import RetentionRule
from habeas.vocabulary import CountedFrom
from services.orchestrator.app import read_retention
from services.orchestrator.domain.retention import RetentionMistake, RetentionRules
from services.orchestrator.settings import SHIPPED_RETENTION

RULE = '[[rules]]\ncategory = "invoices"\nground = "tax_law"\n'
TAX = RetentionRule(category="invoices", ground="tax_law", months=84, counted_from=CountedFrom.END_OF_YEAR)


def test_the_shipped_file_keeps_tax_records_for_seven_years_behind_their_own() -> None:
    rules = read_retention(SHIPPED_RETENTION)
    assert rules.concerning("stripe", {"customer", "invoices", "charges", "payment_methods"}) == (
        TAX,
        TAX.model_copy(update={"category": "charges"}),
    )


def test_nobody_else_is_told_of_them() -> None:
    assert read_retention(SHIPPED_RETENTION).concerning("hubspot", {"contact", "notes"}) == ()


def test_a_rule_may_concern_some_kinds_alone() -> None:
    rules = RetentionRules.parse(RULE + 'years = 7\nkinds = ["stripe", "ledger"]\n', source="r.toml")
    assert len(rules.concerning("stripe", {"invoices"})) == 1
    assert rules.concerning("hubspot", {"invoices"}) == ()


def test_months_and_the_items_own_date_are_meant_unless_it_is_said() -> None:
    (rule,) = RetentionRules.parse(RULE + "months = 18\n", source="r.toml").concerning("any", {"invoices"})
    assert (rule.months, rule.counted_from) == (18, CountedFrom.DATE)


def test_to_keep_nothing_has_to_be_said() -> None:
    assert RetentionRules.parse("rules = []\n", source="r.toml") == RetentionRules()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "r.toml:1: rules: add [[rules]], or `rules = []` to keep nothing"),
        ("# one\n[[rule]]\n", "r.toml:2: rule: the file holds [[rules]] and nothing else"),
        (RULE, "r.toml:1: rules.0: say how long: either months or years"),
        (RULE + "years = 7\nmonths = 84\n", "r.toml:1: rules.0: say how long: either months or years"),
        (RULE + "years = 0\n", "r.toml:4: rules.0.years: Input should be greater than or equal to 1"),
        (RULE + "months = 9999\n", "r.toml:4: rules.0.months: Input should be less than or equal to 1200"),
        (RULE + 'years = "7"\n', "r.toml:4: rules.0.years: Input should be a valid integer"),
        (RULE + "years = 7\nperiod = 7\n", "r.toml:5: rules.0.period: no rule has such a key"),
        (
            RULE + 'years = 7\ncounted_from = "birth"\n',
            'r.toml:5: rules.0.counted_from: write "date" or "end_of_year"',
        ),
        ('[[rules]]\ncategory = "invoices"\nyears = 7\n', "r.toml:1: rules.0.ground: add it"),
        (
            RULE.replace("tax_law", "Tax law!") + "years = 7\n",
            "r.toml:3: rules.0.ground: a word of a-z, 0-9, _ and dots",
        ),
        (
            RULE + "years = 7\n" + RULE + "years = 10\n",
            "r.toml:5: rules.1: the rule of line 1 speaks of invoices and tax_law too",
        ),
        (RULE + "years = seven\n", "r.toml:4: this is not TOML"),
        ('rules = "none"\n', "r.toml:1: rules: Input should be a valid tuple"),
    ],
)
def test_a_mistake_names_file_line_and_mend(text: str, said: str) -> None:
    with pytest.raises(RetentionMistake) as found:
        RetentionRules.parse(text, source="r.toml")
    assert said in str(found.value)


def test_every_mistake_of_a_file_is_named_at_once() -> None:
    with pytest.raises(RetentionMistake) as found:
        RetentionRules.parse(RULE + "years = 0\n" + RULE.replace("tax_law", "X") + "years = 7\n", source="r.toml")
    assert [line.split(" ")[0] for line in str(found.value).splitlines()] == ["r.toml:4:", "r.toml:7:"]


def test_a_file_that_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(RetentionMistake, match="HABEAS_RETENTION_FILE"):
        read_retention(tmp_path / "none.toml")
