"""The manifest of a processor: what it is, what it may see, what it serves; read from `manifest.toml`."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from habeas.vocabulary import Action, IdentityType

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
ProcessorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]

# How an effect may be repeated: the vendor takes a key, repeating changes nothing, or we look before we repeat.
Idempotency = Literal["key", "nature", "lookup_before_repeat"]


class ManifestError(ValueError):
    """A manifest is wrong; the message names file, place and mend."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Serves(_Part):
    """One action that the processor serves."""

    idempotency: Idempotency = "nature"
    batch: int = Field(default=50, ge=1, le=10_000, description="items handed over in one call")
    verify: bool = True  # whether the vendor lets us look again
    verify_after: float = Field(
        default=0.0, ge=0, le=30 * 86_400, description="seconds before looking again makes sense"
    )


class DataCategory(_Part):
    """One category of personal data held there (GDPR Article 15(1)(b))."""

    name: Word
    description: Annotated[str, Field(min_length=1, max_length=200)]


class FieldSpec(_Part):
    """Where a key of the data register, such as `contact.email`, is kept here: for rectification."""

    category: Word
    name: Annotated[str, Field(min_length=1, max_length=200, description="the vendor's own name of the field")]


class Limits(_Part):
    """How hard the vendor may be driven by one host."""

    concurrency: int = Field(default=4, ge=1, le=256, description="tasks at a time")
    calls: int | None = Field(default=None, ge=1, description="calls per `per` seconds; None is unlimited")
    per: float = Field(default=1.0, gt=0, description="seconds")


class Timeouts(_Part):
    """Seconds."""

    call: float = Field(default=30.0, gt=0, le=600)
    attempt: float = Field(default=300.0, gt=0, le=3_600)


class SettingSpec(_Part):
    """A setting or secret that an operator supplies at enrolment."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    description: Annotated[str, Field(min_length=1, max_length=200)]
    required: bool = True
    secret: bool = False


class Manifest(_Part):
    """What a processor says of itself. Widening it (more identities, more actions) waits for approval.

    `version` counts up with each change; `resolves` are identity types that `locate` may yield; `after` names kinds
    whose task must settle first (a storage index kept in the CRM, say).
    """

    kind: Kind
    version: int = Field(ge=1)
    title: Annotated[str, Field(min_length=1, max_length=80)]
    owner: Annotated[str, Field(min_length=1, max_length=120)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 of where the data is")]
    safeguard: str | None = Field(default=None, description="for a country outside the EEA: the ground of the transfer")
    accepts: tuple[IdentityType, ...] = Field(min_length=1)
    resolves: tuple[IdentityType, ...] = ()
    actions: dict[Action, Serves] = Field(min_length=1)
    categories: tuple[DataCategory, ...] = Field(min_length=1)
    fields: dict[Word, FieldSpec] = Field(default_factory=dict, description="by register key: what can be rectified")
    after: tuple[Kind, ...] = ()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    settings: tuple[SettingSpec, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.resolves and Action.RESOLVE not in self.actions:
            msg = "it resolves identities, so add [actions.resolve]"
            raise ValueError(msg)
        if Action.RESOLVE in self.actions and not self.resolves:
            msg = "it serves resolve, so say in `resolves` which identity types"
            raise ValueError(msg)
        if self.kind in self.after:
            msg = "`after` names its own kind"
            raise ValueError(msg)
        names = [category.name for category in self.categories]
        if len(set(names)) != len(names):
            msg = "two categories have one name"
            raise ValueError(msg)
        if strange := {field.category for field in self.fields.values()} - set(names):
            msg = f"`fields` speaks of {', '.join(sorted(strange))}, which is none of its categories"
            raise ValueError(msg)
        if (Action.RECTIFY in self.actions) != bool(self.fields):
            msg = "[actions.rectify] and [fields] go together: name the fields that can be rectified"
            raise ValueError(msg)
        return self

    def serves(self, action: Action) -> Serves | None:
        """Return how `action` is served, or None when it is not."""
        return self.actions.get(action)

    @property
    def category_names(self) -> frozenset[str]:
        """The names that an item's category may have."""
        return frozenset(category.name for category in self.categories)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `manifest.toml` at `path`; raise `ManifestError` with file, line or key, and what to do."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            msg = f"{path}: cannot be read ({error.strerror}); every processor needs a manifest.toml"
            raise ManifestError(msg) from None
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            msg = f"{path}: not TOML: {error}"
            raise ManifestError(msg) from None
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise ManifestError(_explain(path, text, error)) from None


def _explain(path: Path, text: str, error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"]) or "manifest"
        lines.append(f"{path}:{_line_of(text, problem['loc'])}: {place}: {problem['msg']}")
    return "\n".join(lines)


def _line_of(text: str, loc: tuple[int | str, ...]) -> int:
    """Return the line on which the last named key of `loc` stands, best effort, 1 when it is absent."""
    for key in reversed([part for part in loc if isinstance(part, str)]):
        for number, line in enumerate(text.splitlines(), start=1):
            if re.match(rf"\s*(\[+[\w.\"-]*\.?)?{re.escape(key)}\b", line):
                return number
    return 1
