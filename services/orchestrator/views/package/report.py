"""The page that tells a person what is in a package, and what is not; it needs nothing but itself."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from services.orchestrator.views.package import names
from services.orchestrator.views.package.contents import Folder, Package
from services.orchestrator.views.package.telling import nothing_where_searched, plain, tell
from services.orchestrator.views.package.words import LANGUAGES
from services.orchestrator.views.package.words.shape import Words

_PAGE, _STYLE = "report.html.jinja", "report.css"


def render(package: Package, folders: Sequence[Folder]) -> bytes:
    """Return the page in the request's language; what others wrote is escaped, and has its own direction."""
    template, style, policy = _page()
    words = LANGUAGES[package.language]
    told = tell(package, folders, words)
    request, authority = package.request, words.authority(package.country)
    text = template.render(
        style=style,
        policy=policy,
        words=words,
        label=words.labels,
        package=package,
        controller=plain(package.controller),
        headline=_headline(package, words),
        received=words.day(package.received_on),
        answered=words.day(package.answered_on),
        made=f"{words.day(package.created_at.date())}, {package.created_at:%H:%M} UTC",
        told=told,
        records=words.number(sum(one.records for one in told)),
        files=words.number(sum(one.files for one in told)),
        complain=words.labels["complain_text"].format(request=request, authority=authority),
        more=words.labels["more_text"].format(request=request),
        manifest_text=words.labels["manifest_text"].format(manifest=names.MANIFEST),
    )
    return text.encode("utf-8", "replace")


def _headline(package: Package, words: Words) -> str | None:
    if nothing_where_searched(package):
        return words.searched_in_part
    return words.headlines[package.headline] if package.headline else None


@cache
def _page() -> tuple[Template, str, str]:
    files = {
        name: resources.files(__package__).joinpath("pages", name).read_text(encoding="utf-8")
        for name in (_PAGE, _STYLE)
    }
    environment = Environment(
        loader=DictLoader(files), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    digest = base64.b64encode(hashlib.sha256(files[_STYLE].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template(_PAGE), files[_STYLE], policy
