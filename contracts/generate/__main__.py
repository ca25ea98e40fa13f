"""`python -m contracts.generate` writes contracts/generated; `--check` says what drifted, `--release` freezes it."""

import argparse
import sys

from contracts.generate.files import FOLDER, drift, release, write


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m contracts.generate", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="write nothing; exit 1 and say so when a file is stale")
    choice.add_argument("--release", action="store_true", help="freeze the schemas as those of the last release")
    options = parser.parse_args(arguments)
    if options.check:
        found = drift()
        for one in found:
            print(f"contracts/generated/{one}", file=sys.stderr)
        if found:
            print("run `make contracts` and commit what changed", file=sys.stderr)
        return 1 if found else 0
    if options.release:
        release()
        return 0
    write(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
