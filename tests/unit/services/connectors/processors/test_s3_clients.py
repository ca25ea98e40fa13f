"""Clients of several buckets: each with its own account, all from one reading of what S3 is."""

import boto3
import pytest

from services.connectors.processors.s3.clients import Clients


def clients(key: str) -> Clients:
    return Clients(
        region="eu-west-1", access_key_id=key, secret_access_key="secret", endpoint_url=None, addressing_style="path"
    )


def test_buckets_share_what_is_read_and_not_their_account(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions: list[boto3.session.Session] = []
    make = boto3.session.Session.client

    def made(self: boto3.session.Session, *args: object, **more: object) -> object:
        sessions.append(self)
        return make(self, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(boto3.session.Session, "client", made)
    for key in ("one", "other"):
        clients(key).close()
    one, other = sessions
    assert one._session.get_component("data_loader") is other._session.get_component("data_loader")
    keys = [credentials.access_key for each in sessions if (credentials := each.get_credentials())]
    assert keys == ["one", "other"]
