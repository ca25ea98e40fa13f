"""Faults that are tried at some calls of many are spread over all of them, the first and the last among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habeas.sdk import Action
from habeas.testing import ProcessorConformance, VendorUnderTest
from habeas.testing.rules.kit import QUICK
from tests.unit.habeas.testing.model import Model, Sound


class AnyKit(ProcessorConformance):
    """A kit that is asked for numbers alone."""

    __test__ = False

    def vendor(self) -> VendorUnderTest:
        raise NotImplementedError


@given(count=st.integers(0, 500), most=st.integers(1, 60))
def test_spread_evenly_from_the_first_to_the_last(count: int, most: int) -> None:
    kit = AnyKit()
    kit.most_calls = most
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(QUICK, raising=False)
        numbers = kit._some_of(count)  # what the rules ask for
    assert len(numbers) == min(count, most)
    assert numbers == sorted(set(numbers))
    assert numbers[:1] == [0][:count]
    assert most == 1 or numbers[-1:] == [count - 1][:count]


@given(count=st.integers(0, 500), most=st.integers(1, 60), surely=st.integers(0, 500))
def test_what_is_tried_surely_costs_nothing_more(count: int, most: int, surely: int) -> None:
    kit = AnyKit()
    kit.most_calls = most
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(QUICK, raising=False)
        numbers = kit._some_of(count, surely=surely)
    assert len(numbers) == min(count, most)
    assert surely in numbers or surely >= count


def test_all_are_tried_where_nothing_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(QUICK, raising=False)
    assert AnyKit()._some_of(500) == list(range(500))


@pytest.mark.parametrize(
    ("test", "more"),
    [
        ("test_a_fault_at_any_call_changes_nothing_of_how_it_ends", ("lost_reply",)),
        ("test_a_reply_lost_at_any_call_ends_as_rectified", ()),
        ("test_a_crash_at_any_step_loses_nothing", ()),
        ("test_a_crash_at_any_step_ends_as_rectified", ()),
        ("test_twice_is_as_good_as_once", (Action.RESTRICT,)),
    ],
)
def test_a_quick_look_has_a_reply_lost_at_the_first_effect_and_a_crash_right_after_it(
    test: str, more: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of a ledger that matter are those at which the vendor did it and nobody remembers."""
    monkeypatch.setenv(QUICK, "2")
    chosen: list[tuple[str, bool]] = []

    class Noting(AnyKit):
        def vendor(self) -> VendorUnderTest:
            self.model = Model(Sound)
            return self.model

        def _some_of(self, count: int, *, surely: int | None = None) -> list[int]:
            assert surely is not None
            calls = self.model.seen[-self.model.calls :]
            chosen.append((calls[min(surely, len(calls) - 1)].method, surely in super()._some_of(count, surely=surely)))
            return []

    getattr(Noting(), test)(*more)
    assert all(tried for _, tried in chosen)
    assert chosen
    if "call" in test:
        assert {method for method, _ in chosen} <= {"DELETE", "PATCH"}


def test_a_quick_look_tries_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(QUICK, "3")
    assert AnyKit()._some_of(9) == [0, 4, 8]
