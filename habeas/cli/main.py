"""The door of the `habeas` command: puts the commands together and turns errors into one plain line."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (those of the process, if None) and return its exit code.

    0 done, 1 it could not be done, 2 the command line was not understood, 130 interrupted.
    """
    try:
        from habeas.cli.application import run_command
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print("habeas: the command line needs more packages: pip install 'habeas[cli]'", file=sys.stderr)
        return 1
    return run_command(arguments)


if __name__ == "__main__":
    sys.exit(main())
