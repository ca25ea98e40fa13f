"""The connector host's commands: `python -m services.connectors serve | migrate | dead-letters | consumers`."""

import argparse
import os
import sys
from collections.abc import Sequence

from services.chassis.command import Serve, run_service
from services.connectors.settings import ConnectorSettings


def app() -> Serve[ConnectorSettings]:
    """Import the connector host whole."""
    from services.connectors.app import serve

    return serve


def main(argv: Sequence[str]) -> None:
    """Run the command line; `--only a,b` before or behind the command is HABEAS_ONLY."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only")
    own, rest = parser.parse_known_args(argv)
    if own.only is not None:
        os.environ["HABEAS_ONLY"] = own.only
    told = "--only a,b  serves these processors alone, as HABEAS_ONLY does; before or behind the command"
    run_service("connectors", ConnectorSettings, app, argv=rest, epilog=told)


if __name__ == "__main__":
    main(sys.argv[1:])
