"""One sandbox for all conformance tests of a run."""

from collections.abc import Iterator

import pytest

from tests.conformance.sandbox import Sandbox, running


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as started:
        yield started
