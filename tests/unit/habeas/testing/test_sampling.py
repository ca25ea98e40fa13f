"""Faults that are tried at some calls of many are spread over all of them, the first and the last among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habeas.testing import ProcessorConformance, VendorUnderTest
from habeas.testing.rules.kit import QUICK


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


def test_a_quick_look_tries_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(QUICK, "3")
    assert AnyKit()._some_of(9) == [0, 4, 8]
