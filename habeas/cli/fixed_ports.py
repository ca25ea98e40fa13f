"""The options that fix ports of the local stack, and what they ask for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from habeas.cli.mistakes import Mistake

if TYPE_CHECKING:  # needs habeas[local], which a command line that only talks HTTP does without
    from habeas.local.state import StackState

PANEL = "Ports (free ones, unless said; those of `habeas up` are kept for next time)"

ApiPort = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Port of the API.", rich_help_panel=PANEL, show_default=False),
]
KafkaPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of Kafka.", rich_help_panel=PANEL, show_default=False)
]
PostgresPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of PostgreSQL.", rich_help_panel=PANEL, show_default=False)
]
SandboxPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port of the vendors over HTTP.", rich_help_panel=PANEL, show_default=False),
]
GIVEN = {"kafka": "HABEAS_KAFKA_BOOTSTRAP", "postgres": "HABEAS_POSTGRES_URL"}


def asked(api: int | None, kafka: int | None, postgres: int | None, sandbox: int | None) -> dict[str, int]:
    """Return the ports that were asked for, by part; a part that somebody else started has no port to fix."""
    wanted = {"orchestrator": api, "kafka": kafka, "postgres": postgres, "sandbox": sandbox}
    found = {part: port for part, port in wanted.items() if port is not None}
    for part in found:
        if part in GIVEN and os.environ.get(GIVEN[part]):
            msg = f"--{part}-port is for a server that is started here, and {GIVEN[part]} names one of yours"
            raise Mistake(msg)
    return found


def fix(home: Path, wanted: Mapping[str, int]) -> None:
    """Have the stack of `home` take these ports when it starts. Raises LocalStackError where one is taken."""
    from habeas.local.home import Home

    if wanted:
        Home(home).fix_ports(wanted)


def others(found: "StackState", wanted: Mapping[str, int]) -> list[str]:
    """Return the addresses of those parts of a running stack that have another port than was wanted."""
    addresses = {
        "orchestrator": found.url,
        "kafka": f"//{found.kafka_bootstrap}",
        "postgres": found.postgres_url,
        "sandbox": found.sandbox_url,
    }
    ports = {part: urlsplit(address).port for part, address in addresses.items()}
    return [f"{part} at port {ports[part]}" for part, port in wanted.items() if ports[part] != port]
