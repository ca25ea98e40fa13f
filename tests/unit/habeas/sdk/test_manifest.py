"""Manifests: what is read, and how a wrong one is explained."""

from pathlib import Path

import pytest

from habeas.sdk import Action, Manifest, ManifestError

GOOD = """
kind = "crm"
version = 1
title = "CRM"
owner = "sales"
country = "NL"
accepts = ["email"]
resolves = ["customer_id"]

[actions.resolve]

[actions.erase]
batch = 7

[[categories]]
name = "contact"
description = "contacts"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_manifest_is_read_with_its_defaults(tmp_path: Path) -> None:
    manifest = Manifest.load(written(tmp_path, GOOD))
    erase = manifest.serves(Action.ERASE)
    assert erase is not None
    assert (erase.batch, erase.idempotency, erase.verify, erase.verify_after) == (7, "nature", True, 0.0)
    assert manifest.serves(Action.EXPORT) is None
    assert manifest.category_names == {"contact"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("version = 1", "version = 0"), ":3: version:"),
        (('country = "NL"', 'country = "Netherlands"'), ":6: country:"),
        (("batch = 7", "batch = 0"), ":13: actions.erase.batch:"),
        (("batch = 7", "bacth = 7"), ":13: actions.erase.bacth:"),
        (("[actions.resolve]", ""), "add [actions.resolve]"),
        (('resolves = ["customer_id"]', ""), "say in `resolves`"),
        (("[actions.erase]", "[actions.erase"), "not TOML"),
    ],
)
def test_a_wrong_manifest_is_explained_by_place_and_mend(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(ManifestError) as caught:
        Manifest.load(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"every processor needs a manifest\.toml"):
        Manifest.load(tmp_path / "manifest.toml")


@pytest.mark.parametrize("name", ["limits", "manifest"])
def test_a_setting_that_the_host_would_keep_to_itself_is_refused(tmp_path: Path, name: str) -> None:
    setting = f'\n[[settings]]\nname = "{name}"\ndescription = "how many"\n'
    with pytest.raises(ManifestError, match=r"settings\..*name: .* give the setting another name"):
        Manifest.load(written(tmp_path, GOOD + setting))
