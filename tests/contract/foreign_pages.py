"""Runs what contracts/README.md shows: its Python here, its JavaScript in Node."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import contracts.seal

CONTRACTS = Path(contracts.seal.__file__).parent
README = (CONTRACTS / "README.md").read_text(encoding="utf-8")
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(
    NODE is None, reason="NODE IS NOT INSTALLED: what is shown for Node is not checked here"
)

Record = dict[str, Any]
"""A record as the pages take it: topic, key and headers as text, the body as bytes."""


class RefusedByPage(Exception):
    """What the page shows did not believe the record."""


def blocks(language: str) -> list[str]:
    """Return what the README shows in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def python_page() -> dict[str, Any]:
    """Return what the Python of the README defines."""
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(code, "contracts/README.md", "exec"), names)  # noqa: S102 (our own page, shown to be true)
    return names


def node(*arguments: str, stdin: str = "") -> str:
    """Run Node; return what it printed."""
    assert NODE is not None
    done = subprocess.run([NODE, *arguments], input=stdin, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        raise RefusedByPage(done.stderr)
    return done.stdout.strip()


def run_node_page(folder: Path, number: int, script: str, asked: Mapping[str, Any]) -> Any:
    """Run block `number` of the README's JavaScript with `script` behind it, which finds `asked` and prints JSON."""
    page = blocks("js")[number].replace('"./contracts/', f'"{CONTRACTS.as_uri()}/')
    path = folder / f"page{number}.mjs"
    reading = 'import { readFileSync } from "node:fs";\nconst asked = JSON.parse(readFileSync(0));\n'
    path.write_text(f"{page}\n{reading}{script}")
    return json.loads(node(str(path), stdin=json.dumps(asked)))


@dataclass(frozen=True)
class Answered:
    """What a page sends for a record, and what it asked the team's own part to erase: identities and retention."""

    sent: Record | None
    asked: list[list[Any]]


def answer_in_python(_: Path, enrolment: Mapping[str, Any], record: Record, lines: Sequence[Any]) -> Answered:
    """Have the README's Python answer `record`; the team's part says `lines`."""
    asked: list[list[Any]] = []

    def erase(*told: Any) -> list[Any]:
        asked.append(list(told))
        return list(lines)

    try:
        return Answered(python_page()["answer"](enrolment, record, erase), asked)
    except ValueError as error:
        raise RefusedByPage(str(error)) from None


def answer_in_node(folder: Path, enrolment: Mapping[str, Any], record: Record, lines: Sequence[Any]) -> Answered:
    """Have the README's JavaScript answer `record`; the team's part says `lines`."""
    script = """
const record = { ...asked.record, body: Buffer.from(asked.record.body, "base64") };
const told = [];
const sent = await answer(asked.enrolment, record, async (...one) => (told.push(one), asked.lines));
console.log(JSON.stringify([sent && { ...sent, body: sent.body.toString("base64") }, told]));
"""
    plain = {**record, "body": base64.b64encode(record["body"]).decode()}
    told = {"enrolment": enrolment, "record": plain, "lines": list(lines)}
    sent, asked = run_node_page(folder, 0, script, told)
    return Answered(_as_sent(sent) if sent else None, asked)


def announce_in_python(_: Path, enrolment: Mapping[str, Any], manifest: Mapping[str, Any]) -> Record:
    """Have the README's Python announce a processor."""
    record: Record = python_page()["announced"](enrolment, manifest)
    return record


def announce_in_node(folder: Path, enrolment: Mapping[str, Any], manifest: Mapping[str, Any]) -> Record:
    """Have the README's JavaScript announce a processor."""
    script = """
const sent = announcement(asked.enrolment, asked.manifest);
console.log(JSON.stringify({ ...sent, body: sent.body.toString("base64") }));
"""
    return _as_sent(run_node_page(folder, 0, script, {"enrolment": enrolment, "manifest": manifest}))


def _as_sent(told: Mapping[str, Any]) -> Record:
    return {**told, "body": base64.b64decode(told["body"])}
