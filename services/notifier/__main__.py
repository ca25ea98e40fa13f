"""The notifier's commands: `python -m services.notifier serve | migrate | dead-letters | consumers`."""

from services.chassis.command import Serve, run_service
from services.notifier.settings import NotifierSettings


def app() -> Serve[NotifierSettings]:
    """Import the notifier whole."""
    from services.notifier.app import serve

    return serve


if __name__ == "__main__":
    run_service("notifier", NotifierSettings, app)
