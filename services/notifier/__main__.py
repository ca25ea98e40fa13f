"""The notifier's commands: `python -m services.notifier serve | migrate | dead-letters | consumers`."""

from services.chassis.command import run_service
from services.notifier.app import serve
from services.notifier.settings import NotifierSettings

if __name__ == "__main__":
    run_service("notifier", NotifierSettings, serve)
