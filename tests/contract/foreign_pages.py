"""Runs what contracts/README.md shows: its Python here, its JavaScript in Node."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
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
    done = subprocess.run([NODE, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False)
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


def answer_in_python(_: Path, enrolment: Mapping[str, Any], record: Record, erased: int) -> Record | None:
    """Have the README's Python answer `record`."""
    try:
        answered: Record | None = python_page()["answer"](enrolment, record, lambda identities: erased)
    except ValueError as error:
        raise RefusedByPage(str(error)) from None
    return answered


def answer_in_node(folder: Path, enrolment: Mapping[str, Any], record: Record, erased: int) -> Record | None:
    """Have the README's JavaScript answer `record`."""
    script = """
const record = { ...asked.record, body: Buffer.from(asked.record.body, "base64") };
const told = await answer(asked.enrolment, record, () => asked.erased);
console.log(JSON.stringify(told && { ...told, body: told.body.toString("base64") }));
"""
    plain = {**record, "body": base64.b64encode(record["body"]).decode()}
    answered = run_node_page(folder, 0, script, {"enrolment": enrolment, "record": plain, "erased": erased})
    return {**answered, "body": base64.b64decode(answered["body"])} if answered else None
