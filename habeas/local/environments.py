"""What each service is told by its environment."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from habeas.local.home import Home
from habeas.local.ports import LOOPBACK

# Settings of the stack itself, and the owner's role, which a running service must not have.
NOT_HANDED_ON = ("HABEAS_HOME", "HABEAS_POSTGRES_URL", "HABEAS_URL", "HABEAS_API_KEY")
NAMESPACE = "HABEAS_NAMESPACE"  # before topics, groups and roles: stacks that share servers need one each
EXPORTS = "HABEAS_EXPORTS_"  # settings of two services alone
PORTS = ("orchestrator", "connectors", "notifier", "sandbox", "sandbox-s3", "sandbox-smtp")
MAIL_FROM = "privacy@habeas.example"


def environments(
    home: Home,
    *,
    given: Mapping[str, str],
    root: Path,
    ports: Mapping[str, int],
    postgres_url: str,
    kafka_bootstrap: str,
) -> dict[str, dict[str, str]]:
    """The environment of every service by name: what is given, what all need, and what it alone needs.

    `postgres_url` is the owner's, of the database that the services share; each gets a role of its own.
    """
    exports = _exports(home, given)
    common = {
        name: value for name, value in given.items() if name not in NOT_HANDED_ON and not name.startswith(EXPORTS)
    }
    common |= {
        "PYTHONPATH": str(root),
        "PYTHONUNBUFFERED": "1",
        "HABEAS_ENVIRONMENT": given.get("HABEAS_ENVIRONMENT", "development"),
        "HABEAS_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "HABEAS_HTTP_HOST": LOOPBACK,
        "HABEAS_CONTROLLER_NAME": given.get("HABEAS_CONTROLLER_NAME", "Example Ltd"),
    }
    own = {
        "orchestrator": exports,
        "connectors": {"HABEAS_PROCESSORS_DIR": str(home.processors), **exports},
        "notifier": {
            "HABEAS_ENROLMENT_FILE": str(home.notifier_key),
            "HABEAS_SMTP_HOST": LOOPBACK,
            "HABEAS_SMTP_PORT": str(ports["sandbox-smtp"]),
            "HABEAS_SMTP_FROM": MAIL_FROM,
        },
    }
    namespace = given.get(NAMESPACE, "")
    for name, environment in own.items():
        role = f"{namespace}_habeas_{name}" if namespace else f"habeas_{name}"
        environment |= {
            "HABEAS_DATABASE_URL": with_role(postgres_url, role, home.role_password(name)),
            "HABEAS_KEY_FILE": str(home.key_file(name)),
            "HABEAS_HTTP_PORT": str(ports[name]),
        }
    own["sandbox"] = {
        "HABEAS_SANDBOX_HTTP_PORT": str(ports["sandbox"]),
        "HABEAS_SANDBOX_S3_PORT": str(ports["sandbox-s3"]),
        "HABEAS_SANDBOX_SMTP_PORT": str(ports["sandbox-smtp"]),
        "HABEAS_SANDBOX_DIR": str(home.sandbox),
    }
    return {name: common | environment for name, environment in own.items()}


def _exports(home: Home, given: Mapping[str, str]) -> dict[str, str]:
    """Where exports lie, and how it is reached: a folder of the stack, unless something else is given."""
    ours = {name: value for name, value in given.items() if name.startswith(EXPORTS)}
    return {f"{EXPORTS}URL": home.exports.as_uri()} | ours


def with_role(url: str, role: str, password: str) -> str:
    """The same server and database for another role."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role, safe='')}:{quote(password, safe='')}@{address}"))
