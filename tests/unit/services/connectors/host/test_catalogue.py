"""A kind is found by folder or by entry point, and what is wrong with it is said plainly."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from services.connectors.host.catalogue import Catalogue
from services.connectors.host.enrolment import BrokenEnrolment

MANIFEST = """
kind = "acme"
version = 1
title = "Acme"
owner = "Team"
country = "NL"
accepts = ["email"]
[actions.erase]
[[categories]]
name = "records"
description = "Records"
"""
CLASS = """
from pydantic import BaseModel, SecretStr, field_validator
from habeas.sdk import Processor

class Settings(BaseModel):
    token: SecretStr
    region: str = "eu"

    @field_validator("region")
    @classmethod
    def known(cls, value):
        if value != "eu":
            raise ValueError(f"no such region: {value}")
        return value

class Acme(Processor[Settings]):
    Config = Settings
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution's package, found by its entry point."""
    package = tmp_path / "acme_habeas"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "manifest.toml").write_text(MANIFEST)
    (package / "processor.py").write_text(CLASS)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("acme_habeas")]:
        monkeypatch.delitem(sys.modules, name)
    entry = metadata.EntryPoint("acme", "acme_habeas", "habeas.processors")

    def entry_points(*, group: str, name: str) -> tuple[metadata.EntryPoint, ...]:
        return (entry,) if (group, name) == ("habeas.processors", "acme") else ()

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return package


@pytest.mark.parametrize("kind", ["hubspot", "s3"])
def test_the_kinds_that_come_with_habeas_are_found(kind: str) -> None:
    assert Catalogue().load(kind).manifest.kind == kind


def test_a_kind_of_another_team_is_found(acme: Path) -> None:
    found = Catalogue().load("acme")
    assert found.manifest.title == "Acme"
    assert found.processor.__name__ == "Acme"


def test_a_kind_that_nobody_installed_is_named() -> None:
    with pytest.raises(BrokenEnrolment, match="no processor of kind nowhere is installed"):
        Catalogue().load("nowhere")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("manifest.toml", MANIFEST.replace('"acme"', '"other"'), "is of kind other, not acme"),
        ("manifest.toml", MANIFEST.replace("version = 1", "version = 0"), "version"),
        ("processor.py", "import nothing_of_that_name", "ModuleNotFoundError"),
        ("processor.py", "", "define one class"),
        ("processor.py", CLASS + "\nclass Second(Processor[Settings]):\n    Config = Settings\n", "define one class"),
    ],
)
def test_a_broken_distribution_is_explained(acme: Path, file: str, text: str, said: str) -> None:
    (acme / file).write_text(text)
    with pytest.raises(BrokenEnrolment, match=said):
        Catalogue().load("acme")


def test_a_bad_setting_is_named_and_its_value_is_not(acme: Path) -> None:
    kind = Catalogue().load("acme")
    with pytest.raises(BrokenEnrolment) as error:
        kind.config({"region": "s3cr3t-place"})
    assert str(error.value) == "settings or secrets do not fit: token: Field required; region: is not acceptable"


def test_an_operator_s_limits_stand_over_the_manifest_s(acme: Path) -> None:
    kind = Catalogue().load("hubspot")
    limited = kind.limited({"limits": {"calls": 190}, "base_url": "x"})
    assert (limited.manifest.limits.calls, limited.manifest.limits.per) == (190, kind.manifest.limits.per)
    assert kind.limited({"base_url": "x"}) is kind


@pytest.mark.parametrize("limits", [{"calls": 0}, {"speed": 9}, 7, {"per": "often"}])
def test_limits_that_make_no_sense_are_refused(acme: Path, limits: object) -> None:
    with pytest.raises(BrokenEnrolment, match="concurrency, calls and per"):
        Catalogue().load("hubspot").limited({"limits": limits})
