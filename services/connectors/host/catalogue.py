"""Finds the code of a kind: in this service's `processors` folder, or in a distribution's entry point.

The convention is the same for both: a package with `manifest.toml` and a module `processor` that defines one class
derived from `habeas.sdk.Processor`. A distribution names its package in the entry-point group `habeas.processors`:

    [project.entry-points."habeas.processors"]
    acme = "acme_habeas"
"""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from typing import Any

from pydantic import BaseModel, ValidationError

from habeas.sdk import Limits, Manifest, ManifestError, Processor
from services.connectors.host import particulars
from services.connectors.host.enrolment import BrokenEnrolment

GROUP = "habeas.processors"
HERE = "services.connectors.processors"

LIMITS = "limits"  # a table of settings.toml that every processor may have
OURS = frozenset({LIMITS, particulars.TABLE})  # no processor sees these

# A validator of the author's own may quote the value in its text; pydantic's own messages do not.
_OWN_WORDS = frozenset({"value_error", "assertion_error"})


@dataclass(frozen=True, slots=True)
class Kind:
    """The code of one kind: its manifest and its class."""

    manifest: Manifest
    processor: type[Processor[Any]]

    def config(self, settings: Mapping[str, Any]) -> BaseModel:
        """Return `settings` as the class wants them; raise `BrokenEnrolment` that names settings, never values."""
        own = {name: value for name, value in settings.items() if name not in OURS}
        try:
            return self.processor.Config.model_validate(own)
        except ValidationError as error:
            raise BrokenEnrolment(_explain(error)) from None

    def limited(self, settings: Mapping[str, Any]) -> "Kind":
        """Return it with the limits that `[limits]` of the settings sets: how much a vendor allows is a matter of plan.

        Raises `BrokenEnrolment`.
        """
        given = settings.get(LIMITS)
        if given is None:
            return self
        try:
            limits = Limits.model_validate(self.manifest.limits.model_dump() | dict(given))
        except (ValidationError, TypeError, ValueError):
            raise BrokenEnrolment(
                "[limits] of the settings holds concurrency, calls and per, as in a manifest"
            ) from None
        return Kind(self.manifest.model_copy(update={"limits": limits}), self.processor)

    def particular(self, settings: Mapping[str, Any]) -> "Kind":
        """Return it with what `[manifest]` of the settings says of this enrolment; raise `BrokenEnrolment`."""
        return Kind(particulars.particular(self.manifest, settings), self.processor)


class Catalogue:
    """The kinds that are installed. `given` come before them."""

    def __init__(self, given: Mapping[str, Kind] | None = None) -> None:
        """Start with `given`; the others are imported when they are first asked for."""
        self._kinds = dict(given or {})

    def load(self, kind: str) -> Kind:
        """Return the code of `kind`, importing it at need (slow: call it in a thread); raise `BrokenEnrolment`."""
        if kind not in self._kinds:
            self._kinds[kind] = _from_package(kind, _package_of(kind))
        return self._kinds[kind]


def _package_of(kind: str) -> str:
    if resources.files(HERE).joinpath(kind, "manifest.toml").is_file():
        return f"{HERE}.{kind}"
    for entry in metadata.entry_points(group=GROUP, name=kind):
        return entry.module
    raise BrokenEnrolment(f"no processor of kind {kind} is installed: install its distribution")


def _from_package(kind: str, package: str) -> Kind:
    try:
        with resources.as_file(resources.files(package).joinpath("manifest.toml")) as path:
            manifest = Manifest.load(path)
        module = importlib.import_module(f"{package}.processor")
    except ManifestError as error:
        raise BrokenEnrolment(str(error)) from None
    except Exception as error:  # noqa: BLE001  # the distribution's code: others are served all the same
        raise BrokenEnrolment(f"{package} cannot be imported ({type(error).__name__}): mend the distribution") from None
    if manifest.kind != kind:
        raise BrokenEnrolment(f"{package}: its manifest is of kind {manifest.kind}, not {kind}")
    classes = [
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Processor) and one.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise BrokenEnrolment(f"{package}.processor: define one class derived from habeas.sdk.Processor")
    return Kind(manifest, classes[0])


def _explain(error: ValidationError) -> str:
    said = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(part) for part in one["loc"]) or "the settings together"
        said.append(f"{place}: {'is not acceptable' if one['type'] in _OWN_WORDS else one['msg']}")
    return f"settings or secrets do not fit: {'; '.join(said)}"
