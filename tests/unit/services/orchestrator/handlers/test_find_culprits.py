"""A batch that fails is done without those that spoil it, and without them alone."""

from collections.abc import Sequence

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.handlers.find_culprits import without_culprits

REQUESTS = [f"req_{number}" for number in range(20)]


@given(culprits=st.sets(st.sampled_from(REQUESTS)))
async def test_all_others_are_done_once(culprits: set[str]) -> None:
    done: list[str] = []
    aside: list[str] = []

    async def do(some: Sequence[str]) -> int:
        if culprits & set(some):
            raise KeyError
        done.extend(some)
        return len(some)

    async def set_aside(request: str, error: Exception) -> None:
        assert isinstance(error, KeyError)
        aside.append(request)

    assert await without_culprits(REQUESTS, do, set_aside) == len(done)
    assert (sorted(aside), sorted(done)) == (sorted(culprits), sorted(set(REQUESTS) - culprits))


async def test_what_passes_by_itself_blames_nobody() -> None:
    async def do(_: Sequence[str]) -> int:
        raise asyncpg.ConnectionDoesNotExistError

    async def set_aside(*_: object) -> None:
        pytest.fail("somebody was blamed")

    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await without_culprits(REQUESTS, do, set_aside)
