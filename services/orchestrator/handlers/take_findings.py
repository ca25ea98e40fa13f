"""Takes in what resolvers found: opened, kept with its provenance, and asked about where it may be another's."""

from collections.abc import Iterable

from contracts.seal import SealedFindings
from habeas.vocabulary import Action
from services.chassis.crypto.seal import BrokenSeal, kid_in, unseal
from services.chassis.log import get_logger
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.journal import Journal
from services.orchestrator.handlers.vault import ONE_OF_A_KIND, Known, Vault

log = get_logger(__name__)


def take_in(
    request: DataSubjectRequest, task: ProcessorTask, *, directory: Directory, vault: Vault, journal: Journal
) -> None:
    """Open what a resolver found and remember it with its provenance.

    Who confirmed identities vouched for those that were known then: one more value where a person has one asks again.
    """
    sealed, task.findings = task.findings or "", None
    found = _opened(directory, task, sealed)
    if found is None:
        # What it found is lost, so the search was not whole: the outcome must not say that it was.
        request.complete = False
        journal.note(request, "identities.unreadable", task=task, detail={"round": task.round})
        log.error("identities.unreadable", task_id=task.id, processor=task.processor)
        return
    manifest = directory[task.processor].manifest
    allowed = set(manifest.resolves) if manifest else set()
    learned = vault[request.id].learn(
        [one for one in found.identities if one.type in allowed], provenance=task.processor, round_=task.round
    )
    if learned:
        vault.changed(request.id)
        if any(one.type in ONE_OF_A_KIND for one in learned):
            request.identities_confirmed = False
        detail = {"count": len(learned), "round": task.round}
        journal.note(request, "identities.resolved", task=task, detail=detail)


def news(tasks: Iterable[ProcessorTask], directory: Directory, known: Known) -> list[str]:
    """Return the resolvers that were asked before somebody else learned what they could look up."""
    asked: dict[str, int] = {}
    for task in tasks:
        if task.action is Action.RESOLVE:
            asked[task.processor] = max(task.round, asked.get(task.processor, 0))
    return [
        processor
        for processor, round_ in asked.items()
        if (manifest := directory[processor].manifest) is not None
        and known.learned_since(round_, manifest.accepts, but_from=processor)
    ]


def _opened(directory: Directory, task: ProcessorTask, sealed: str) -> SealedFindings | None:
    """Return the findings inside a report's seal; None for a broken one, or one that was made for another task."""
    try:
        keys = directory.keys_of(kid_in(sealed))
        if keys is None or keys.processor != task.processor:
            return None
        found = SealedFindings.model_validate_json(unseal(keys, sealed))
    except (BrokenSeal, ValueError):
        return None
    return found if found.task == task.id else None
