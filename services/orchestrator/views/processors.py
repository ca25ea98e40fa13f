"""Processors as the API shows them."""

import json
from collections.abc import Mapping
from typing import Any

from contracts.enrolments import ActOut, ProcessorOut
from contracts.processors import Asks, WireManifest
from habeas.vocabulary import Action, IdentityType


def processor_out(row: Mapping[str, Any]) -> ProcessorOut:
    """Return a row of the query `processors`; what it may see and do is read from its approved manifest."""
    manifest: dict[str, Any] = json.loads(row["manifest"]) if row["manifest"] is not None else {}
    return ProcessorOut(
        id=row["id"],
        kind=row["kind"],
        livemode=row["livemode"],
        state=row["state"],
        title=manifest.get("title"),
        owner=manifest.get("owner"),
        country=manifest.get("country"),
        safeguard=manifest.get("safeguard"),
        moved_from=row["moved_from"],
        moved_at=row["moved_at"],
        manifest_version=row["manifest_version"],
        pending_manifest_version=row["pending_version"],
        pending_asks=_asks(row["manifest"], row["pending_manifest"]),
        actions=tuple(Action(action) for action in manifest.get("actions", ())),
        accepts=tuple(IdentityType(one) for one in manifest.get("accepts", ())),
        resolves=tuple(IdentityType(one) for one in manifest.get("resolves", ())),
        open_tasks=row["open_tasks"],
        enrolled_at=row["enrolled_at"],
        enrolled_by=row["enrolled_by"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        announced_at=row["announced_at"],
        retired_at=row["retired_at"],
        retired_reason=row["retired_reason"],
        retired_by=row["retired_by"],
        secret_version=row["secret_version"],
        min_secret_version=row["min_secret_version"],
        announced_versions=tuple(row["announced_versions"]),
        rotated_at=row["rotated_at"],
        rotated_by=row["rotated_by"],
        revoked_at=row["revoked_at"],
        revoked_by=row["revoked_by"],
        acts=tuple(ActOut.model_validate(one) for one in json.loads(row["acts"] or "[]")),
    )


def _asks(approved: str | None, pending: str | None) -> Asks | None:
    if pending is None:
        return None
    known = None if approved is None else WireManifest.model_validate(json.loads(approved))
    return WireManifest.model_validate(json.loads(pending)).wider_than(known)
