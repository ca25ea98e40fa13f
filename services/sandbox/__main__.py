"""`python -m services.sandbox serve`."""

import argparse
import asyncio


def main() -> None:
    """Read the verb and run."""
    parser = argparse.ArgumentParser(prog="services.sandbox")
    parser.add_argument("verb", choices=["serve"], help="serve: listen until stopped; settings are HABEAS_SANDBOX_*")
    parser.parse_args()

    from services.sandbox import log
    from services.sandbox.app import Sandbox
    from services.sandbox.settings import SandboxSettings

    log.configure()
    asyncio.run(Sandbox(SandboxSettings()).serve())


if __name__ == "__main__":
    main()
