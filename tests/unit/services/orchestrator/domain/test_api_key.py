"""API keys: their shape, their checksum, and what is kept of them."""

from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.api_key import mint, parse

KEY = mint(livemode=True)


def test_a_key_says_its_mode_and_is_read_back() -> None:
    for livemode, start in ((True, "hab_live_"), (False, "hab_test_")):
        key = mint(livemode=livemode)
        assert key.text.startswith(start)
        assert parse(key.text) == key
        assert len(key.digest) == 32


def test_no_two_keys_are_the_same() -> None:
    assert len({mint(livemode=True).text for _ in range(1_000)}) == 1_000


def test_a_key_does_not_show_itself() -> None:
    assert KEY.text not in repr(KEY)


@given(st.integers(0, len(KEY.text) - 1), st.characters(codec="ascii"))
def test_one_wrong_character_is_noticed_without_a_look_up(place: int, wrong: str) -> None:
    changed = KEY.text[:place] + wrong + KEY.text[place + 1 :]
    assert (parse(changed) is None) == (changed != KEY.text)


@given(st.integers(0, len(KEY.text) - 1))
def test_a_key_that_is_cut_off_is_noticed(length: int) -> None:
    assert parse(KEY.text[:length]) is None


@given(st.text())
def test_anything_else_is_no_key(text: str) -> None:
    assert parse(text) is None
    assert parse(KEY.text + text) is None or not text
