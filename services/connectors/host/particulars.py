"""What an enrolment says of itself in place of its kind: what a person is told of it, and where its data is."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from habeas.sdk import Manifest
from habeas.sdk.countries import COUNTRIES, EEA
from services.connectors.host.enrolment import SETTINGS_FILE, BrokenEnrolment

TABLE = "manifest"  # a table of settings.toml that every processor may have
KEYS = ("title", "owner", "country", "safeguard")


def particular(manifest: Manifest, settings: Mapping[str, Any]) -> Manifest:
    """Return `manifest` as the table `[manifest]` of the settings changes it, by the rules of every manifest.

    A kind's safeguard is the ground on which data may go to that kind's country: it does not cover another. Raises
    `BrokenEnrolment` that names file and key, never a value: what stands there by mistake may be a secret.
    """
    given = settings.get(TABLE)
    if given is None:
        return manifest
    if not isinstance(given, Mapping):
        raise _broken("", f"is a table with {_listed(KEYS)}")
    for key in sorted(given.keys() - set(KEYS)):
        raise _broken(key, f"cannot differ from the kind's manifest; {_listed(KEYS)} can")
    whole = manifest.model_dump() | dict(given)
    if whole["country"] != manifest.country and "safeguard" not in given:
        whole["safeguard"] = None
    try:
        return Manifest.model_validate(whole)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["loc"]:
            raise _broken(str(first["loc"][0]), first["msg"]) from None
    raise _broken(*_mistaken(str(whole["country"])))


def _mistaken(country: str) -> tuple[str, str]:
    """Return which key is to be mended and how, where each is well made and they do not go together."""
    if country not in COUNTRIES:
        return "country", "is no ISO 3166-1 code of two capital letters"
    if country not in EEA:
        return "safeguard", f"{country} is outside the European Economic Area; say on what ground data may go there"
    return "", "does not go together with the kind's manifest"


def _broken(key: str, mend: str) -> BrokenEnrolment:
    place = f"{SETTINGS_FILE}: [{TABLE}]" + (f" {key}" if key else "")
    return BrokenEnrolment(f"{place}: {mend}")


def _listed(keys: tuple[str, ...]) -> str:
    return f"{', '.join(keys[:-1])} and {keys[-1]}"
