"""The manifest of a processor: what it is, what it may see, what it serves; read from `manifest.toml`."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from habeas.sdk.countries import COUNTRIES, EEA, MEANT
from habeas.sdk.mending import Inconsistent, explain, explain_syntax
from habeas.vocabulary import Action, IdentityType

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
ProcessorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]

# How an effect may be repeated: the vendor takes a key, repeating changes nothing, or we look before we repeat.
Idempotency = Literal["key", "nature", "lookup_before_repeat"]


# Tables that every processor's settings.toml may have; the host reads them, and no processor sees them.
TABLES = frozenset({"limits", "manifest"})


class ManifestError(ValueError):
    """A manifest is wrong. The message has a line for each mistake: `file:line: key: what is wrong; what to write`."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Serves(_Part):
    """One action that the processor serves.

    `idempotency` says why an effect may be begun again after its answer was lost: `nature`, twice is as good as once;
    `key`, the vendor takes a key (`ctx.key`) and does it once; `lookup_before_repeat`, `look_up` finds out first.
    `verify` false makes every line of an outcome `not_checkable`: say so only where the vendor lets nobody look.
    """

    idempotency: Idempotency = "nature"
    batch: int = Field(default=50, ge=1, le=10_000, strict=True, description="items handed over in one call")
    verify: bool = Field(default=True, strict=True, description="whether the vendor lets us look again")
    verify_after: float = Field(
        default=0.0, ge=0, le=30 * 86_400, strict=True, description="seconds before looking again makes sense"
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

    concurrency: int = Field(default=4, ge=1, le=256, strict=True, description="tasks at a time")
    calls: int | None = Field(default=None, ge=1, strict=True, description="calls per `per` seconds; None is unlimited")
    per: float = Field(default=1.0, gt=0, strict=True, description="seconds")


class Timeouts(_Part):
    """Seconds."""

    call: float = Field(default=30.0, gt=0, le=600, strict=True, description="one call, to its last byte")
    attempt: float = Field(default=300.0, gt=0, le=3_600, strict=True, description="one try at a task")


class SettingSpec(_Part):
    """A setting or secret that an operator supplies at enrolment."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    description: Annotated[str, Field(min_length=1, max_length=200)]
    required: bool = Field(default=True, strict=True)
    secret: bool = Field(default=False, strict=True)


class Manifest(_Part):
    """What a processor says of itself. Widening it (more identities, actions or fields) waits for approval.

    `kind`       names the code, as an operator enrols it; `title` and `owner` are for people: what the subject is told
                 that the data is at, and which team answers for it.
    `version`    counts up with each change.
    `accepts`    identity types that `locate` can look for; no others are handed over, nor sealed to this processor.
    `resolves`   identity types that `locate` may yield.
    `actions`    what is served, by action; `preview` and `recheck` need `locate` alone.
    `categories` what kinds of data are there, in words that the subject may read (GDPR Article 15(1)(b)).
    `fields`     what can be rectified, by register key, such as `contact.email`.
    `after`      kinds whose task must settle first (a storage index kept in the CRM, say).
    `settings`   what an operator supplies: `Config` of the processor has the same names.

    `title`, `owner`, `country` and `safeguard` are those of an enrolment where its settings.toml has a table
    `[manifest]` that says otherwise.
    """

    kind: Kind
    version: int = Field(ge=1, strict=True)
    title: Annotated[str, Field(min_length=1, max_length=80)]
    owner: Annotated[str, Field(min_length=1, max_length=120)]
    country: Annotated[str, Field(description="ISO 3166-1 alpha-2 of where the data is")]
    safeguard: str | None = Field(
        default=None, min_length=1, description="for a country outside the EEA: the ground of the transfer"
    )
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
        self._country_is_known()
        self._actions_have_their_parts()
        _only_once("categories", (category.name for category in self.categories))
        _only_once("settings", (setting.name for setting in self.settings))
        for index, setting in enumerate(self.settings):
            if setting.name in TABLES:
                msg = f"[{setting.name}] of every settings.toml is the host's own; give the setting another name"
                raise Inconsistent(msg, "settings", index, "name")
        for key, field in self.fields.items():
            if field.category not in self.category_names:
                known = ", ".join(sorted(self.category_names))
                msg = f"{field.category!r} is none of the categories; choose from {known}, or add [[categories]] for it"
                raise Inconsistent(msg, "fields", key)
        if self.kind in self.after:
            msg = f"names its own kind; take {self.kind!r} out, for nothing can come after itself"
            raise Inconsistent(msg, "after")
        return self

    def _country_is_known(self) -> None:
        capitals = self.country.upper()
        if self.country not in COUNTRIES:
            meant = MEANT.get(
                capitals, capitals if capitals in COUNTRIES else 'the one where the data is, such as "NL"'
            )
            msg = f"{self.country!r} is no ISO 3166-1 code of two capital letters; write {meant}"
            raise Inconsistent(msg, "country")
        if self.country not in EEA and self.safeguard is None:
            msg = (
                f"{self.country} is outside the European Economic Area; say on what ground data may go there, as in "
                'safeguard = "Standard contractual clauses"'
            )
            raise Inconsistent(msg, "country")

    def _actions_have_their_parts(self) -> None:
        if self.resolves and Action.RESOLVE not in self.actions:
            msg = "it resolves identities, so add [actions.resolve], or take `resolves` out"
            raise Inconsistent(msg, "resolves")
        if Action.RESOLVE in self.actions and not self.resolves:
            msg = 'it serves resolve, so say in `resolves` which identity types, as in resolves = ["customer_id"]'
            raise Inconsistent(msg, "actions", "resolve")
        if Action.RECTIFY in self.actions and not self.fields:
            msg = (
                "it serves rectify, so name the fields that can be rectified: "
                '[fields] with "contact.email" = { category = "contact", name = "email" }'
            )
            raise Inconsistent(msg, "actions", "rectify")
        if self.fields and Action.RECTIFY not in self.actions:
            msg = "it names fields that can be rectified, so add [actions.rectify], or take [fields] out"
            raise Inconsistent(msg, "fields")

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
            text = path.read_bytes().decode()
        except OSError as error:
            why = error.strerror
            msg = f"{path}: cannot be read ({why}); every processor needs a manifest.toml that its host may read"
            raise ManifestError(msg) from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            msg = f"{path}:{line}: not TOML: the text is not UTF-8; save the file as UTF-8"
            raise ManifestError(msg) from None
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ManifestError(f"{path}:{explain_syntax(text, error)}") from None
        except ValidationError as error:
            told = explain(text, error.errors(include_url=False), cls)
            raise ManifestError("\n".join(f"{path}:{each}" for each in told)) from None


def _only_once(table: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            msg = f"two [[{table}]] have the name {name!r}; give one of them another, or take it out"
            raise Inconsistent(msg, table, index)
        seen.add(name)
