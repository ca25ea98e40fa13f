"""What a processor's quality.toml says is true: of its manifest, and of the tests that there are."""

import ast
from pathlib import Path

import pytest

from habeas.sdk import Manifest
from habeas.testing import RULES, ProcessorConformance, read_quality
from habeas.testing.quality import Status
from tests.architecture.tree import ROOT, files, text, tree

# What stands in for a vendor in measurements is no processor that anybody runs.
FOLDERS = [
    str(Path(name).parent)
    for name in files()
    if Path(name).name == "manifest.toml" and not name.startswith("tests/bench/")
]
TUTORIAL = "tests/example_processor/README.md"


def conformance_tests(kind: str) -> list[str]:
    """Return the classes by which the kit is run on processors of `kind`: its page is named after it."""
    pages = [name for name in files() if name.startswith("tests/") and Path(name).name == f"test_{kind}.py"]
    return [
        node.name
        for page in pages
        for node in ast.walk(tree(page))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == ProcessorConformance.__name__ for base in node.bases)
    ]


def test_there_are_processors() -> None:
    assert {Path(folder).name for folder in FOLDERS} >= {"hubspot", "openai", "s3", "stripe", "shop_habeas"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_processor_tells_its_quality_and_tells_it_as_it_is(folder: str) -> None:
    manifest = Manifest.load(ROOT / folder / "manifest.toml")
    said = read_quality(ROOT / folder / "quality.toml", manifest)
    tested = conformance_tests(manifest.kind)
    assert (said["passes_conformance_kit"].status is Status.DONE) == bool(tested), (
        f"the kit is run by {tested or 'none'}"
    )


def test_authors_are_told_of_every_rule() -> None:
    page = text(TUTORIAL)
    assert [rule for rule in RULES if f"`{rule}`" not in page] == []
