"""What is said of a processor's quality is whole, has its reasons, and agrees with the manifest."""

from pathlib import Path

import pytest

from habeas.sdk import Action, Manifest
from habeas.testing import RULES, QualityError, read_quality
from tests.unit.habeas.testing.model import MANIFEST

BLIND = MANIFEST.model_copy(
    update={"actions": {Action.ERASE: MANIFEST.actions[Action.ERASE].model_copy(update={"verify": False})}}
)


def written(folder: Path, **changes: str | None) -> Path:
    """Write a file in which every rule is done, but for `changes`: a table's text, or None for a rule left out."""
    tables = dict.fromkeys(RULES, 'status = "done"') | changes
    text = "\n".join(f"[rules.{rule}]\n{table}" for rule, table in tables.items() if table is not None)
    path = folder / "quality.toml"
    path.write_text(text)
    return path


def mistakes(path: Path, manifest: Manifest = MANIFEST) -> list[str]:
    with pytest.raises(QualityError) as caught:
        read_quality(path, manifest)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_every_rule_done_is_well(tmp_path: Path) -> None:
    assert read_quality(written(tmp_path), MANIFEST).keys() == RULES.keys()


def test_what_is_not_done_has_a_reason(tmp_path: Path) -> None:
    reason = '\nreason = "the vendor asks for none"'
    read_quality(written(tmp_path, honours_rate_limits=f'status = "exempt"{reason}'), MANIFEST)
    for status in ("todo", "exempt"):
        (told,) = mistakes(written(tmp_path, honours_rate_limits=f'status = "{status}"'))
        assert told == f"honours_rate_limits: is {status} without a reason; say why in `reason`"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reads_strongly": None}, "reads_strongly: is missing; add [rules.reads_strongly], for `reread` asks"),
        ({"reads_mildly": 'status = "done"'}, "reads_mildly: is no rule; choose from locate_rechecks_exactly,"),
        ({"exports": 'status = "perhaps"'}, "rules.exports.status: Input should be 'done', 'todo' or 'exempt'"),
        ({"exports": 'status = "done"\nwhy = "x"'}, "rules.exports.why: Extra inputs are not permitted"),
        ({"exports": "status done"}, "not TOML: "),
    ],
)
def test_a_mistake_is_told_with_what_to_write(tmp_path: Path, changes: dict[str, str | None], told: str) -> None:
    (line,) = mistakes(written(tmp_path, **changes))
    assert line.startswith(told)


def test_no_file_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "quality.toml") == [
        "cannot be read (No such file or directory); every processor needs a quality.toml"
    ]


def test_the_manifest_must_agree(tmp_path: Path) -> None:
    assert mistakes(written(tmp_path), BLIND) == [
        "exports: is done, and the manifest does not serve export; let the two agree",
        "rectifies: is done, and the manifest does not serve rectify; let the two agree",
        "verifies_after_erase: is done, and [actions.erase] of the manifest says `verify = false`; let the two agree",
    ]
    todo = 'status = "todo"\nreason = "next month"'
    assert mistakes(written(tmp_path, exports=todo, verifies_after_erase=todo)) == [
        "exports: is todo, and the manifest serves export; let the two agree",
        "verifies_after_erase: is todo, and [actions.erase] of the manifest lets us look again; let the two agree",
    ]
