"""`habeas run`: become a service process."""

import os
import sys
from typing import Annotated

import typer

from habeas.cli.mistakes import Mistake
from habeas.local.places import import_root

SERVICES = ("orchestrator", "connectors", "notifier", "sandbox")


def run(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="orchestrator, connectors, notifier or sandbox.", show_default=False)],
) -> None:
    """Run a service in this process; what follows its name is its own (serve, migrate, ...).

    Settings come from the environment (HABEAS_...).
    """
    if service not in SERVICES:
        msg = f"there is no such service; there are {', '.join(SERVICES)}"
        raise Mistake(msg)
    root = str(import_root())
    arguments = context.args or ["serve"]
    # -P keeps the working folder off the import path: a `contracts/` or `services/` lying there is not ours.
    os.execve(  # noqa: S606  # no shell is wanted
        sys.executable,
        [sys.executable, "-P", "-m", f"services.{service}", *arguments],
        {**os.environ, "PYTHONPATH": root},
    )
