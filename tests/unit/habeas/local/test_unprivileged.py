"""PostgreSQL's programs are run directly, in a user namespace, or as nobody, whichever this machine and user allow."""

import os
from pathlib import Path

import pytest

from habeas.local import unprivileged
from habeas.local.errors import LocalStackError


def test_an_ordinary_user_runs_them_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    run = unprivileged.programs()
    assert (run.prefix, run.user) == ((), None)
    assert run.command("postgres", "-D", Path("/data")) == [f"{run.folder}/bin/postgres", "-D", "/data"]


def test_root_runs_them_in_a_user_namespace_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unprivileged, "namespaces_work", lambda: True)
    run = unprivileged.programs()
    assert run.command("postgres")[0] == "unshare"
    assert run.user is None


def test_programs_that_are_not_installed_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "PACKAGE", "no_such_package")
    with pytest.raises(LocalStackError, match=r"not installed; run: pip install 'habeas\[local\]'"):
        unprivileged.installed_programs()
