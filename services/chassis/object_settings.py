"""Which object store a service uses, and how it is reached: settings that can not be right are told in one line."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.chassis.objects import ObjectStore
from services.chassis.settings import ServiceSettings

_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
_CLIENT: Any = {"timeout": timedelta(seconds=30), "connect_timeout": timedelta(seconds=5)}
_FORM = "HABEAS_EXPORTS_URL: expected file:///folder or s3://bucket/prefix; keys and endpoint have their own settings"


class StoreMisconfigured(ValueError):
    """The settings of a store can not be right; the text says what they should be."""


class S3Options(BaseModel):
    """How to reach a bucket. Without keys the environment (`AWS_...`) or the machine's own role is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoint: str | None = None
    region: str | None = None
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    session_token: SecretStr | None = None
    path_style: bool = False
    allow_http: bool = False


class ExportSettings(ServiceSettings):
    """Settings of a service that writes or reads exports, all below one URL; without it there is no place for them.

    `exports_url` is `file:///folder` or `s3://bucket/prefix`; the others are for S3: an `exports_endpoint` that is not
    Amazon's, keys (none: what the environment or the machine's role gives), the bucket in the path where the endpoint
    knows no host names for buckets, and plain HTTP where the network is trusted.
    """

    exports_url: str | None = None
    exports_endpoint: str | None = None
    exports_region: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    exports_access_key: SecretStr | None = None
    exports_secret_key: SecretStr | None = None
    exports_session_token: SecretStr | None = None
    exports_path_style: bool = False
    exports_allow_http: bool = False

    @model_validator(mode="after")
    def _can_be_right(self) -> Self:
        if self.exports_url is not None:
            _place(self.exports_url, self._options())
        return self

    def open_exports(self) -> ObjectStore | None:
        """Return the store; None where none is set. A folder is made when there is none; a bucket is asked nothing."""
        return None if self.exports_url is None else open_store(self.exports_url, self._options())

    def _options(self) -> S3Options:
        return S3Options.model_validate({name: getattr(self, f"exports_{name}") for name in S3Options.model_fields})


def open_store(url: str, options: S3Options | None = None) -> ObjectStore:
    """Return the store at `url`; raise `StoreMisconfigured`."""
    place = _place(url, options or S3Options())
    if isinstance(place, S3Store):
        return ObjectStore(place)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return ObjectStore(LocalStore(place), root=place)
    except (BaseError, OSError) as error:
        told = getattr(error, "strerror", None) or type(error).__name__
        msg = f"HABEAS_EXPORTS_URL: the folder cannot be made ({told}): make it, for the service's user alone"
        raise StoreMisconfigured(msg) from None


def _place(url: str, options: S3Options) -> Path | S3Store:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
        return Path(unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc and not (parts.query or parts.fragment or parts.username):
        return _bucket(parts.netloc, parts.path.strip("/"), options)
    raise StoreMisconfigured(_FORM)


def _bucket(bucket: str, prefix: str, options: S3Options) -> S3Store:
    if (options.access_key is None) != (options.secret_key is None):
        msg = "set both HABEAS_EXPORTS_ACCESS_KEY and HABEAS_EXPORTS_SECRET_KEY, or neither"
        raise StoreMisconfigured(msg)
    if options.endpoint is not None and options.endpoint.startswith("http://") and not options.allow_http:
        msg = "HABEAS_EXPORTS_ENDPOINT: use https://, or trust the network by HABEAS_EXPORTS_ALLOW_HTTP=true"
        raise StoreMisconfigured(msg)
    secrets = {
        "access_key_id": options.access_key,
        "secret_access_key": options.secret_key,
        "session_token": options.session_token,
    }
    config: Any = {name: value.get_secret_value() for name, value in secrets.items() if value is not None}
    config |= {name: value for name in ("endpoint", "region") if (value := getattr(options, name)) is not None}
    config["virtual_hosted_style_request"] = not options.path_style
    client = _CLIENT | {"allow_http": options.allow_http}
    try:
        return S3Store(bucket, prefix=prefix or None, config=config, client_options=client, retry_config=_RETRIES)
    except (BaseError, ValueError) as error:
        msg = f"HABEAS_EXPORTS_...: the bucket's settings do not fit together ({type(error).__name__})"
        raise StoreMisconfigured(msg) from None
