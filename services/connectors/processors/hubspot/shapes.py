"""The shapes of HubSpot's answers, as far as this processor reads them; an answer out of shape is no answer."""

from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from habeas.sdk import Answer, RetryLater

VendorId = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]


class Shape(BaseModel):
    """Part of an answer: what is not needed is left out, and errors never quote it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True)


class Cursor(Shape):
    """Where the next page begins."""

    after: Annotated[str, Field(min_length=1, max_length=200)]


class Paging(Shape):
    """Whether there is a next page."""

    next: Cursor | None = None


class Found(Shape):
    """An object by its id alone."""

    id: VendorId


class FoundPage(Shape):
    """A page of them."""

    results: list[Found]
    paging: Paging | None = None


class Linked(Shape):
    """What is associated with an object."""

    to: VendorId = Field(alias="toObjectId")


class LinkedPage(Shape):
    """A page of associations."""

    results: list[Linked]
    paging: Paging | None = None


class Contact(Shape):
    """A contact with the ids of what hangs on it, by object type."""

    id: VendorId
    properties: dict[str, str | None]
    updated: datetime = Field(alias="updatedAt")
    associations: dict[str, FoundPage] = Field(default_factory=dict)

    def linked(self, kind: str) -> list[str]:
        """Return the ids of the linked objects of `kind`, each once."""
        page = self.associations.get(kind)
        return list(dict.fromkeys(found.id for found in page.results)) if page else []

    @property
    def changed_on(self) -> date:
        """The day of its last change, in UTC."""
        return self.updated.date()


class Thing(Shape):
    """Any object as a batch read gives it: a property that is not set is None, or not there."""

    id: VendorId
    properties: dict[str, str | None]


class _Context(Shape):
    ids: list[str] = Field(default_factory=list)


class _Error(Shape):
    category: str = ""
    context: _Context = Field(default_factory=_Context)


class Batch(Shape):
    """The answer to a batch read: 200 with all, or 207 with `errors` that name those that are not in `results`."""

    results: list[Thing]
    errors: list[_Error] = Field(default_factory=list)

    def missing(self) -> set[str]:
        """Return the ids that HubSpot says do not exist; one that it was only unable to read is not among them."""
        return {one for error in self.errors if error.category == "OBJECT_NOT_FOUND" for one in error.context.ids}


class _Property(Shape):
    name: Annotated[str, Field(pattern=r"^[\w-]{1,200}$")]


class Properties(Shape):
    """The properties that a type of object has in this account."""

    results: list[_Property]


class _Problem(Shape):
    code: str = ""


class Refusal(Shape):
    """A 400: what is wrong with which property is in `errors`, as codes."""

    errors: list[_Problem] = Field(default_factory=list)


ShapeT = TypeVar("ShapeT", bound=Shape)


def read(shape: type[ShapeT], answer: Answer) -> ShapeT:
    """Return the body of `answer` as `shape`; raise `RetryLater("unreadable_answer")` where it is none."""
    try:
        return shape.model_validate(answer.json())
    except ValidationError:
        raise RetryLater("unreadable_answer") from None


def next_page(paging: Paging | None, before: str) -> str:
    """Return the next cursor, or "" at the end; a cursor that stands still would be read for ever."""
    after = paging.next.after if paging is not None and paging.next is not None else ""
    if after and after == before:
        raise RetryLater("cursor_stands_still")
    return after
