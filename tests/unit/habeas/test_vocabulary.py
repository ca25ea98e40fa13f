"""One word for an outcome: right for every combination, and never better than what happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habeas.vocabulary import DONE, Disposition, Headline, RequestState, TaskState, headline_of

D, H = Disposition, Headline
ANY = st.sets(st.sampled_from(list(Disposition)))


@pytest.mark.parametrize(
    ("dispositions", "headline"),
    [
        ([], H.NOTHING_FOUND),
        ([D.NOT_FOUND], H.NOTHING_FOUND),
        ([D.NOT_APPLICABLE], H.NOT_FULFILLED),
        ([D.NOT_APPLICABLE, D.NOT_FOUND], H.NOTHING_FOUND),
        ([D.NOT_APPLICABLE, D.ERASED], H.FULFILLED),
        ([D.ERASED], H.FULFILLED),
        ([D.ALREADY_DONE], H.FULFILLED),
        ([D.ERASED, D.NOT_FOUND], H.FULFILLED),
        ([D.ERASED, D.RETAINED], H.FULFILLED_WITH_RETENTION),
        ([D.RETAINED], H.REFUSED),
        ([D.REFUSED], H.REFUSED),
        ([D.REFUSED, D.NOT_FOUND], H.REFUSED),
        ([D.ERASED, D.REFUSED], H.PARTLY_FULFILLED),
        ([D.ERASED, D.FAILED], H.PARTLY_FULFILLED),
        ([D.RETAINED, D.FAILED], H.PARTLY_FULFILLED),
        ([D.FAILED], H.NOT_FULFILLED),
        ([D.FAILED, D.NOT_FOUND], H.NOT_FULFILLED),
    ],
)
def test_the_headline_of_a_set(dispositions: list[Disposition], headline: Headline) -> None:
    assert headline_of(dispositions) is headline


@given(dispositions=ANY)
def test_a_search_that_was_not_complete_never_says_all_or_nothing(dispositions: set[Disposition]) -> None:
    assert headline_of(dispositions, complete=False) in {H.PARTLY_FULFILLED, H.NOT_FULFILLED}


@given(dispositions=ANY)
def test_who_could_not_be_asked_makes_it_a_part_at_most(dispositions: set[Disposition]) -> None:
    told = headline_of({*dispositions, D.NOT_APPLICABLE}, unsearched=True)
    assert told in {H.PARTLY_FULFILLED, H.NOT_FULFILLED}
    if not dispositions & {D.FAILED}:
        assert (told is H.PARTLY_FULFILLED) == bool(dispositions - {D.NOT_APPLICABLE})


@given(dispositions=ANY)
def test_a_failure_is_never_hidden(dispositions: set[Disposition]) -> None:
    assert headline_of({*dispositions, D.FAILED}) in {H.PARTLY_FULFILLED, H.NOT_FULFILLED}


@given(dispositions=ANY)
def test_fulfilled_means_that_something_was_done(dispositions: set[Disposition]) -> None:
    if headline_of(dispositions) in {H.FULFILLED, H.FULFILLED_WITH_RETENTION}:
        assert dispositions & DONE


@given(dispositions=st.lists(st.sampled_from(list(Disposition))))
def test_order_and_repeats_do_not_matter(dispositions: list[Disposition]) -> None:
    assert headline_of(dispositions) is headline_of(reversed([*dispositions, *dispositions]))


def test_states_know_whether_they_are_the_end() -> None:
    ends = {state for state in RequestState if state.is_terminal}
    assert ends == {
        RequestState.COMPLETED,
        RequestState.REFUSED,
        RequestState.CANCELLED,
        RequestState.LAPSED,
        RequestState.MERGED,
    }
    assert {state for state in TaskState if state.is_final} == {TaskState.SETTLED, TaskState.CANCELLED}
