"""A change of any code file changes the fingerprint, and nothing else does."""

import os
from pathlib import Path

from habeas.local.fingerprint import fingerprint


def test_the_fingerprint_follows_the_code_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    code, sql = tmp_path / "app.py", tmp_path / "store" / "0001_pre_first.sql"
    code.write_text("x = 1\n")
    sql.write_text("SELECT 1\n")
    seen = [fingerprint(tmp_path)]
    (tmp_path / "README.md").write_text("words")
    assert fingerprint(tmp_path) == seen[0]
    sql.write_text("SELECT 22\n")
    seen.append(fingerprint(tmp_path))
    os.utime(code, ns=(1, 1))
    seen.append(fingerprint(tmp_path))
    code.rename(tmp_path / "main.py")
    seen.append(fingerprint(tmp_path))
    (tmp_path / "main.py").unlink()
    seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == len(seen)
