"""One world for the journeys of a module; whatever a test did to it, the next finds it whole and calm."""

from collections.abc import Iterator

import pytest

from tests.journeys.world import World, world


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("stack")) as one:
        yield one


@pytest.fixture
def calm(whole: World) -> Iterator[World]:
    """The world with every part up and every vendor well-behaved."""
    whole.empty()
    yield whole
    whole.calm()
    for part in (whole.stack.postgres, whole.stack.kafka):
        if part is not None:
            part.start()
    for service in whole.stack.services.values():
        service.start()
