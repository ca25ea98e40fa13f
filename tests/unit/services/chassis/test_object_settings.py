"""Where exports lie is told by the environment; what can not be right is refused with the variable's name."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.chassis.object_settings import ExportSettings

OTHERS = {"HABEAS_DATABASE_URL": "postgresql://habeas@127.0.0.1/habeas", "HABEAS_KEY_FILE": "at-rest.key"}


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> ExportSettings:
    for name, value in {**OTHERS, **variables}.items():
        monkeypatch.setenv(name, value)
    return ExportSettings()


def test_without_a_url_there_is_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch).open_exports() is None


def test_a_folder_is_made_when_the_store_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = settings(monkeypatch, HABEAS_EXPORTS_URL=(tmp_path / "of exports").as_uri())
    assert not (tmp_path / "of exports").exists()
    assert told.open_exports() is not None
    assert (tmp_path / "of exports").is_dir()


def test_a_bucket_with_all_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings(
        monkeypatch,
        HABEAS_EXPORTS_URL="s3://bucket/prefix",
        HABEAS_EXPORTS_ENDPOINT="http://minio.example:9000",
        HABEAS_EXPORTS_REGION="eu-west-1",
        HABEAS_EXPORTS_ACCESS_KEY="planted-access",
        HABEAS_EXPORTS_SECRET_KEY="planted-secret",
        HABEAS_EXPORTS_SESSION_TOKEN="planted-token",
        HABEAS_EXPORTS_PATH_STYLE="true",
        HABEAS_EXPORTS_ALLOW_HTTP="true",
    )
    assert "planted" not in repr(told)
    assert told.open_exports() is not None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HABEAS_EXPORTS_URL", "/var/exports"),
        ("HABEAS_EXPORTS_ENDPOINT", "http://minio.example:9000"),
        ("HABEAS_EXPORTS_ACCESS_KEY", "planted-access"),
    ],
)
def test_what_can_not_be_right_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(monkeypatch, **({"HABEAS_EXPORTS_URL": "s3://bucket"} | {variable: value}))
    assert variable in str(caught.value)
    assert "planted" not in str(caught.value)
