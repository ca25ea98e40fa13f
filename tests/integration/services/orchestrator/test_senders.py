"""What a host says that does not fit stays its own trouble: the others' reports and requests go on."""

from contracts import ids
from contracts.message import Message
from contracts.reports import TaskAccepted, TaskSettled
from contracts.topics import REPORTS
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.outgoing import Outgoing
from services.orchestrator.consumers import takers
from tests.integration.services.histories import Post
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import Desk

SPARE = 5


class Hosts:
    """Two processors, what their hosts say, and the reader of reports as the service wires it."""

    def __init__(self, api: Api, desk: Desk) -> None:
        self.api = api
        self.desk = desk
        self.enough = api.deps.settings.halt_after + SPARE
        self._post = Post(takers(api.deps, DeadLetters(api.deps.root.secret, days=1))[REPORTS])

    @classmethod
    async def of(cls, api: Api) -> "Hosts":
        desk = Desk(api)
        await desk.only(["crm-eu", "mailing"])
        return cls(api, desk)

    def accepted(self, processor: str, *, task: str | None = None, request: str | None = None) -> Outgoing:
        return self._said(
            processor,
            TaskAccepted.model_validate(
                {
                    "livemode": True, "task_id": task or ids.new("tsk"), "request_id": request or ids.new("req"),
                    "processor": processor, "dispatch_no": 1, "at": self.api.clock.now(),
                }
            ),
        )  # fmt: skip

    def _said(self, processor: str, body: TaskAccepted | TaskSettled) -> Outgoing:
        message: Message = body
        return Composer(source="tests", namespace="").compose(
            REPORTS,
            message,
            key=body.request_id,
            keys=self.desk.keys_of(processor),
            event_id=ids.new("evt"),
            subject=body.request_id,
            at=self.api.clock.now(),
        )

    async def task_of(self, processor: str) -> tuple[str, str]:
        """File a request; return its id and that of the processor's task, which was sent."""
        request = await self.desk.file()
        await self.desk.rest()
        query = "SELECT id FROM tasks WHERE request_id = $1 AND processor = $2"
        (row, *_) = await self.api.rows(query, request, processor)
        return request, str(row["id"])

    async def bring(self, *messages: Outgoing) -> None:
        await self._post.bring(messages)

    async def halted(self) -> bool:
        return bool(await self.api.rows("SELECT name FROM consumers WHERE halted_at IS NOT NULL"))

    async def state(self, task: str) -> str:
        (row,) = await self.api.rows("SELECT state FROM tasks WHERE id = $1", task)
        return str(row["state"])


async def test_reports_on_tasks_that_a_restored_database_lacks_halt_nobody(api: Api) -> None:
    hosts = await Hosts.of(api)
    request, task = await hosts.task_of("crm-eu")
    lost = [hosts.accepted(one) for _ in range(hosts.enough) for one in ("crm-eu", "mailing")]
    await hosts.bring(*lost)
    await hosts.bring(hosts.accepted("crm-eu", task=task, request=request))
    assert not await hosts.halted()
    assert len(await hosts.api.rows("SELECT id FROM dead_letters WHERE reason = 'unknown_task'")) == len(lost)
    assert await hosts.state(task) == "accepted"


async def test_a_host_that_answers_for_another_cannot_halt_the_reader_of_all(api: Api) -> None:
    hosts = await Hosts.of(api)
    request, task = await hosts.task_of("crm-eu")
    await hosts.bring(*[hosts.accepted("mailing", task=task, request=request) for _ in range(hosts.enough)])
    await hosts.bring(hosts.accepted("crm-eu", task=task, request=request))
    assert not await hosts.halted()
    assert await hosts.state(task) == "accepted"
