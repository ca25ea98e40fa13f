"""Knobs and the dice behind them."""

import pytest
from pydantic import ValidationError

from services.sandbox.knobs import Dial, Fate, HubSpotKnobs, RateLimit, S3Knobs, SmtpKnobs


def test_without_knobs_nothing_befalls_a_call() -> None:
    dial = Dial(HubSpotKnobs)
    assert {dial.fate("GET /x") for _ in range(50)} == {Fate()}


def test_a_number_is_a_share_and_true_is_all() -> None:
    dial = Dial(S3Knobs)
    dial.turn({"rate_limit": 0.3, "lie": True})
    fates = [dial.fate("GET /x") for _ in range(1_000)]
    assert all(one.lie for one in fates)
    assert 200 < sum(one.rate_limit for one in fates) < 400


def test_the_seed_decides_and_other_knobs_leave_the_luck_alone() -> None:
    dial = Dial(SmtpKnobs)
    dial.turn({"drop_reply": 0.5, "seed": 3})
    first = [dial.fate("a").drop_reply for _ in range(50)]
    dial.turn({"drop_reply": 0.5, "fail_4xx": 0.5, "seed": 3})
    assert [dial.fate("a").drop_reply for _ in range(50)] == first
    dial.turn({"drop_reply": 0.5, "seed": 4})
    assert [dial.fate("a").drop_reply for _ in range(50)] != first


def test_only_and_times_narrow_the_trouble() -> None:
    dial = Dial(HubSpotKnobs)
    dial.turn({"fail_5xx": 1, "only": "gdpr", "times": 1})
    calls = ("GET /x", "POST /gdpr-delete", "POST /gdpr-delete")
    assert [dial.fate(call).fail_5xx for call in calls] == [False, True, False]


def test_what_befell_calls_is_counted_however_often_knobs_are_turned() -> None:
    dial = Dial(S3Knobs)
    assert dial.happened == {}
    dial.turn({"fail_5xx": 1, "drop_reply": 1, "times": 2})
    for _ in range(5):
        dial.fate("GET /x")
    dial.turn({"lie": 1})
    dial.fate("GET /x")
    dial.turn({})
    dial.fate("GET /x")
    assert dial.happened == {"fail_5xx": 2, "drop_reply": 2, "lie": 1}


@pytest.mark.parametrize("wanted", [{"hang": 1.1}, {"latency": -1}, {"typo": 1}, {"rate_limit": {"retry_after": "x"}}])
def test_nonsense_is_refused_and_leaves_the_knobs(wanted: dict[str, object]) -> None:
    dial = Dial(HubSpotKnobs)
    dial.turn({"hang": 1})
    with pytest.raises(ValidationError):
        dial.turn(wanted)
    assert dial.knobs.hang == 1


@pytest.mark.parametrize(("form", "header"), [("seconds", "3"), ("negative", "-3"), ("none", None)])
def test_retry_after_in_its_forms(form: str, header: str | None) -> None:
    assert RateLimit.model_validate({"retry_after": form, "seconds": 3}).header() == header
