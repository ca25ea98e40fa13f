"""What an author says of a processor's quality: each rule done, todo or exempt, in the `quality.toml` beside its code.

    [rules.exports]
    status = "exempt"
    reason = "the vendor hands out totals alone"

Every rule of `RULES` stands there once; `todo` and `exempt` carry a reason. What the manifest tells as well must agree.
"""

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from habeas.sdk import Action, Manifest

RULES: Mapping[str, str] = {
    "locate_rechecks_exactly": "each candidate of a search is compared exactly before it is yielded",
    "reads_strongly": "`reread` asks for things by their id, and believes no search index",
    "erase_repeats_safely": "an erasure that is repeated after a lost answer erases nothing else and tells the same",
    "verifies_after_erase": "the vendor is asked again after an erasure; exempt where it lets nobody look",
    "tells_parts_apart": "what was done of a batch is told as done, and what was not done is not",
    "unreachable_is_not_nothing": "a vendor that can not be reached or read is tried again, and never taken for empty",
    "honours_rate_limits": "a vendor that asks for patience gets it, for as long as it says, within bounds",
    "every_call_has_a_deadline": "no call outlasts the lease, whatever the vendor sends or does not send",
    "no_personal_data_in_logs": "logs, headers and errors tell nothing of a person, vendor's ids included",
    "passes_conformance_kit": "a subclass of `habeas.testing.ProcessorConformance` is among its tests and passes",
    "exports": "it serves `export`: a person's copy holds what is there",
    "rectifies": "it serves `rectify`: the fields of the data register that it keeps can be corrected",
}

_SERVED = {"exports": Action.EXPORT, "rectifies": Action.RECTIFY}


class Status(StrEnum):
    """How far a rule is kept."""

    DONE = "done"
    TODO = "todo"
    EXEMPT = "exempt"


class QualityError(ValueError):
    """A `quality.toml` is wrong. The message has a line for each mistake: `file: rule: what is wrong; what to do`."""


class Said(BaseModel):
    """What is said of one rule; `reason` is a sentence for whoever reads the file, and needed unless it is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: dict[str, Said]


def read_quality(path: Path, manifest: Manifest) -> Mapping[str, Said]:
    """Read `quality.toml` at `path`, by rule; raise `QualityError` where it is wrong or `manifest` tells otherwise."""
    try:
        said = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).rules
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); every processor needs a quality.toml"
        raise QualityError(msg) from None
    except ValidationError as error:
        told = (f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise QualityError("\n".join(f"{path}: {each}" for each in told)) from None
    except ValueError as error:
        msg = f"{path}: not TOML: {error}"
        raise QualityError(msg) from None
    mistakes = [*_mistakes(said), *_contradictions(said, manifest)]
    if mistakes:
        raise QualityError("\n".join(f"{path}: {each}" for each in mistakes))
    return said


def _mistakes(said: Mapping[str, Said]) -> Iterator[str]:
    for rule in sorted(said.keys() - RULES.keys()):
        yield f"{rule}: is no rule; choose from {', '.join(RULES)}, or take it out"
    for rule in RULES:
        if rule not in said:
            yield f"{rule}: is missing; add [rules.{rule}], for {RULES[rule]}"
        elif said[rule].status is not Status.DONE and said[rule].reason is None:
            yield f"{rule}: is {said[rule].status} without a reason; say why in `reason`"


def _contradictions(said: Mapping[str, Said], manifest: Manifest) -> Iterator[str]:
    for rule, action in _SERVED.items():
        if rule in said and (said[rule].status is Status.DONE) != (action in manifest.actions):
            serves = "serves" if action in manifest.actions else "does not serve"
            yield f"{rule}: is {said[rule].status}, and the manifest {serves} {action}; let the two agree"
    erases = manifest.serves(Action.ERASE)
    if erases is not None and "verifies_after_erase" in said:
        status = said["verifies_after_erase"].status
        if (status is Status.DONE) != erases.verify:
            looks = "lets us look again" if erases.verify else "says `verify = false`"
            yield f"verifies_after_erase: is {status}, and [actions.erase] of the manifest {looks}; let the two agree"
