"""Where the sandbox listens and keeps its ledgers."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class SandboxSettings(BaseSettings):
    """Read from `HABEAS_SANDBOX_*`; a port of 0 means any free one (the log line `sandbox.ready` names it)."""

    model_config = SettingsConfigDict(env_prefix="HABEAS_SANDBOX_", hide_input_in_errors=True)

    dir: Path
    host: str = "127.0.0.1"
    http_port: int = 9101
    s3_port: int = 9102
    smtp_port: int = 9103
    hubspot_token: str = "sandbox-hubspot-token"  # noqa: S105 (a public word, not a secret)
    hubspot_us_token: str = "sandbox-hubspot-us-token"  # noqa: S105 (the same)
    openai_token: str = "sandbox-openai-token"  # noqa: S105 (as above)
    stripe_key: str = "sk_test_sandbox"
    s3_access_key: str = "sandbox"
    s3_bucket: str = "habeas-demo"
    s3_region: str = "eu-west-1"
