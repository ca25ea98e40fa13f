"""The import rules of pyproject.toml catch what they are for: a sound house passes, each planted import is named."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import text

RULES = {
    rule["id"]: rule["name"] for rule in tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
}
HOUSE = (
    "habeas.vocabulary",
    "habeas.sdk.task",
    "habeas.engine.work",
    "habeas.client.face",
    "habeas.testing.kit",
    "habeas.local.stack",
    "habeas.cli.main",
    "contracts.tasks",
    "contracts.generate.files",
    "services.chassis.clock",
    *(
        f"services.{service}.{room}"
        for service in ("orchestrator", "connectors", "notifier")
        for room in ("app", "settings")
    ),
    "services.orchestrator.api.requests",
    "services.orchestrator.domain.plan",
    "services.orchestrator.handlers.file_request",
    "services.orchestrator.store.requests",
    "services.orchestrator.views.timeline",
    "services.connectors.host.worker",
    "services.connectors.store.tasks",
    "services.connectors.processors.crm.processor",
    "services.connectors.processors.files.processor",
    "services.notifier.domain.notice",
    "services.sandbox.app",
)
# Rule, who imports, and what.
PLANTED = (
    ("floors", "services.orchestrator.handlers.planted", "services.notifier.domain.notice"),
    ("floors", "services.chassis.planted", "services.orchestrator.domain.plan"),
    ("floors", "contracts.planted", "services.chassis.clock"),
    ("engine", "habeas.sdk.planted", "habeas.engine.work"),
    ("public-face", "habeas.client.planted", "contracts.tasks"),
    ("public-face", "habeas.local.planted", "services.chassis.clock"),
    ("habeas-rooms", "habeas.sdk.planted_cli", "habeas.cli.main"),
    ("habeas-rooms", "habeas.extra", "habeas.sdk.task"),
    ("narrow-sdk", "habeas.sdk.planted_rich", "rich"),
    ("narrow-door", "services.connectors.processors.crm.planted", "services.chassis.clock"),
    ("narrow-door", "services.connectors.processors.crm.planted_engine", "habeas.engine.work"),
    (
        "processors",
        "services.connectors.processors.crm.planted_files",
        "services.connectors.processors.files.processor",
    ),
    ("pure-contracts", "contracts.planted_driver", "asyncpg"),
    ("pure-domain", "services.orchestrator.domain.planted_driver", "asyncpg"),
    ("pure-domain", "habeas.engine.planted_broker", "aiokafka"),
    ("plain-use-cases", "services.orchestrator.domain.planted_http", "httpx"),
    ("plain-use-cases", "services.orchestrator.handlers.planted_driver", "asyncpg"),
    ("no-database-in-cli", "habeas.cli.planted", "asyncpg"),
    ("rooms", "services.orchestrator.domain.planted", "services.orchestrator.handlers.file_request"),
    ("rooms", "services.orchestrator.handlers.planted_store", "services.orchestrator.store.requests"),
    ("rooms", "services.orchestrator.api.planted", "services.orchestrator.app"),
    ("rooms", "services.orchestrator.extra", "services.orchestrator.domain.plan"),
)


def _build(root: Path, modules: dict[str, str]) -> None:
    (root / "pyproject.toml").write_text(text("pyproject.toml"), encoding="utf-8")
    for module, source in modules.items():
        path = root.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        for parent in path.relative_to(root).parents[:-1]:
            (root / parent / "__init__.py").touch()


def _lint(root: Path) -> str:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(root)})
    return " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of the house with everything planted in it."""
    root = tmp_path_factory.mktemp("planted")
    _build(root, dict.fromkeys(HOUSE, "") | {importer: f"import {imported}\n" for _, importer, imported in PLANTED})
    return _lint(root)


def test_a_sound_house_passes(tmp_path: Path) -> None:
    _build(tmp_path, dict.fromkeys(HOUSE, ""))
    assert f"Contracts: {len(RULES)} kept, 0 broken." in _lint(tmp_path)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_broken_by_something(rule: str, findings: str) -> None:
    assert rule in {planted for planted, _, _ in PLANTED}
    assert f"{RULES[rule]} BROKEN" in findings


@pytest.mark.parametrize(("rule", "importer", "imported"), PLANTED, ids=[importer for _, importer, _ in PLANTED])
def test_each_planted_import_is_named_where_its_rule_is_told(
    rule: str, importer: str, imported: str, findings: str
) -> None:
    _, _, told = findings.partition("Broken contracts")
    start = told.index(RULES[rule])
    ends = [told.index(name, start + 1) for name in RULES.values() if name in told[start + 1 :]]
    section = told[start : min(ends, default=len(told))]
    assert importer in section, f"{importer} -> {imported} was not caught by {rule}"
