"""From rows to a package: whom the request was about is not in it, only what was asked of whom and what they left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.exports import ExportReceipt
from contracts.outcomes import Outcome
from contracts.processors import WireManifest
from habeas.vocabulary import Language
from services.orchestrator.views.package.contents import Package, Recipient
from services.orchestrator.views.package.sources import Source

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Controller:
    """The company that answers: its name, its country and the zone in which its days begin."""

    name: str
    country: str
    zone: str


def package_of(
    request: Row, tasks: Sequence[Row], keys: Mapping[str, bytes], *, controller: Controller, now: datetime
) -> Package:
    """Return the package that rows of `package_request` and `package_tasks` make; `keys` opens each task's export."""
    zone = ZoneInfo(controller.zone)
    outcome = None if request["outcome"] is None else Outcome.model_validate_json(request["outcome"])
    return Package(
        request=request["id"],
        language=Language(request["language"]),
        livemode=request["livemode"],
        received_on=request["received_at"].astimezone(zone).date(),
        answered_on=request["completed_at"].astimezone(zone).date(),
        created_at=now,
        controller=controller.name,
        country=controller.country,
        headline=None if outcome is None else outcome.headline,
        recipients=[_recipient(task) for task in tasks],
        sources=[_source(task, keys) for task in tasks if task["export"] is not None],
    )


def _recipient(task: Row) -> Recipient:
    manifest = None if task["manifest"] is None else WireManifest.model_validate(json.loads(task["manifest"]))
    return Recipient(
        task=task["id"],
        processor=task["processor"],
        title=task["processor"] if manifest is None else manifest.title,
        country=None if manifest is None else manifest.country,
        safeguard=None if manifest is None else manifest.safeguard,
        categories={} if manifest is None else {one.name: one.description for one in manifest.categories},
        outcome=None if task["outcome"] is None else Outcome.model_validate_json(task["outcome"]),
    )


def _source(task: Row, keys: Mapping[str, bytes]) -> Source:
    receipt = ExportReceipt.model_validate_json(task["export"])
    return Source(task["id"], task["processor"], receipt, keys[task["id"]])
