"""A task's attention ends with what it was for."""

from datetime import UTC, datetime, timedelta

import pytest

from habeas.vocabulary import Action, AttentionReason, TaskState
from services.orchestrator.domain.task import ProcessorTask

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "stays"),
    [
        (AttentionReason.SILENT, False),
        (AttentionReason.UNSEALABLE, False),
        (AttentionReason.CREDENTIALS_REJECTED, True),
    ],
)
def test_a_host_that_took_the_task_has_spoken_and_opened_the_seal(reason: AttentionReason, *, stays: bool) -> None:
    task = ProcessorTask("tsk_1", "req_1", "crm-eu", Action.ERASE, 0, TaskState.DISPATCHED, dispatch_no=2)
    task.need(reason, NOW)
    assert task.accept(NOW, NOW + timedelta(minutes=15))
    assert (task.attention is not None) is stays
