"""Renders letters: one text a language for both forms, values always inert, nothing fetched and nothing executed."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from habeas.vocabulary import Language

PACKAGE = "services.notifier"


class Templates:
    """The templates that lie beside the code. They are part of it: nobody edits them while it runs."""

    def __init__(self) -> None:
        """Read nothing yet; a template is compiled once, when it is first needed."""
        self._text = _environment(autoescape=False)
        self._html = _environment(autoescape=True)

    def render(self, template: str, language: Language, content: Mapping[str, object]) -> tuple[str, str]:
        """Return the letter `template` as plain text and as HTML; `content` is data, never a template."""
        name = f"{language.value}/{template}.jinja"
        text = self._text.get_template(name).render(content, form="form.txt.jinja")
        letter = Markup(self._html.get_template(name).render(content, form="form.html.jinja"))  # noqa: S704  # escaped
        return _tidy(text), self._html.get_template("page.html.jinja").render(content, letter=letter)


def _environment(*, autoescape: bool) -> Environment:
    return ImmutableSandboxedEnvironment(
        loader=PackageLoader(PACKAGE),
        autoescape=autoescape,
        undefined=StrictUndefined,
        auto_reload=False,
        keep_trailing_newline=True,
    )


def _tidy(text: str) -> str:
    """Return plain text without blanks at the ends of lines and without more than one empty line in a row."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for place, line in enumerate(lines) if line or lines[place - 1]]
    return "\n".join(kept) + "\n"
