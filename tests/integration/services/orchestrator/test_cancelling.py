"""A request that is called off ends, whoever of those that were asked still answers."""

import pytest

from services.orchestrator.handlers.retire_processor import retire_processor
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import Desk


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


async def test_it_ends_though_the_processor_that_should_answer_is_retired(desk: Desk) -> None:
    await desk.only(["crm-eu"])
    request = await desk.file()
    await desk.rest()
    await desk.cancel(request)
    assert (await desk.request(request))["request"]["state"] == "cancelling"
    async with desk.deps.database.transaction() as connection:
        await retire_processor(connection, processor="crm-eu", reason="sold", actor="cli_tests", deps=desk.deps)
    await desk.rest()
    found = await desk.request(request)
    assert found["request"] == {"state": "cancelled", "headline": None, "attention": None}
    assert found["tasks"]["crm-eu/resolve/1"]["state"] == "settled"
