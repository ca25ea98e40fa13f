"""Planning goes by the candidates that it is given, those of a request's mode: who is none of them is not asked."""

from habeas.vocabulary import Action, IdentityType, Right, TaskState
from services.orchestrator.domain.planning import Candidate, Standing, plan
from services.orchestrator.domain.task import ProcessorTask

EMAIL = frozenset({IdentityType.EMAIL})
OWN = Candidate("crm-try", "crm", Standing.SERVED, 1, EMAIL, frozenset(), frozenset({Action.ERASE}))


def task(processor: str, action: Action) -> ProcessorTask:
    return ProcessorTask(f"{processor}/{action}", "req", processor, action, 0, TaskState.DISPATCHED)


def test_without_a_candidate_a_request_waits() -> None:
    assert plan(right=Right.ERASURE, types=EMAIL, candidates=(), tasks=()).empty


def test_a_task_at_no_candidate_is_given_up_and_holds_up_nobody() -> None:
    strangers = [task("crm-eu", Action.RESOLVE), task("files", Action.ERASE)]
    decided = plan(right=Right.ERASURE, types=EMAIL, candidates=[OWN], tasks=strangers)
    assert decided.give_up == ["crm-eu/resolve", "files/erase"]
    assert [(one.processor, one.state) for one in decided.add] == [("crm-try", TaskState.READY)]
    assert not decided.done
    assert plan(right=Right.ERASURE, types=EMAIL, candidates=(), tasks=strangers).done
