"""Reads bodies and queries: size, type and nesting are bounded before anything is believed."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from services.orchestrator.api.problems import ProblemRaised

M = TypeVar("M", bound=BaseModel)

KIB = 1024
# A name that is ours; anything else in a pointer was made up by the caller and may be anything.
_PLAIN = re.compile(r"[A-Za-z0-9_]{1,64}")


async def read(request: Request, *, limit: int) -> bytes:
    """Return the body; raise a problem when it is not JSON by its type, or longer than `limit` bytes."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemRaised("media_type_unsupported", "Send the body with `Content-Type: application/json`.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        raise _too_large(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def parse(model: type[M], body: bytes) -> M:
    """Return `body` as `model`; raise a problem that points at each field that is wrong.

    pydantic's own parser is not recursive beyond 200 levels, and refuses bytes that are not UTF-8.
    """
    try:
        parsed = model.model_validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from None
    if rb"\u0000" in body:
        refuse_nul(json.loads(body))
    return parsed


def parse_query(model: type[M], request: Request) -> M:
    """Return the query string as `model`; a parameter that is given twice is refused."""
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ProblemRaised("validation_failed", "A query parameter is given twice.")
    try:
        return model.model_validate_strings(dict(pairs))
    except ValidationError as error:
        raise from_validation(error) from None


def from_validation(error: ValidationError) -> ProblemRaised:
    """Return the problem that a validation error is; neither values nor names of the caller's are repeated."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        if "recursion limit" in found[0]["msg"]:
            return ProblemRaised("json_too_deep", "The body is nested more deeply than any body of this API.")
        place = re.search(r"at line \d+ column \d+", found[0]["msg"])
        return ProblemRaised("malformed_json", f"The body cannot be read as JSON{' ' + place[0] if place else ''}.")
    errors = [{"pointer": pointer(one["loc"]), "detail": _sentence(one["msg"])} for one in found[:50]]
    return ProblemRaised("validation_failed", "The body is JSON, but fields of it are wrong.", errors=errors)


def refuse_nul(document: Any) -> None:
    """Raise a problem when a text anywhere in `document` holds NUL, which PostgreSQL can not store."""
    errors = [
        {"pointer": pointer(place), "detail": "NUL is not allowed."}
        for place, text in _texts(document, ())
        if "\x00" in text
    ]
    if errors:
        raise ProblemRaised("validation_failed", "A text holds the character NUL.", errors=errors[:50])


def pointer(location: Iterable[int | str]) -> str:
    """Return a JSON pointer (RFC 6901); a name that is not plain becomes `*`."""
    return "".join(f"/{part if _PLAIN.fullmatch(str(part)) else '*'}" for part in location)


def _texts(value: Any, place: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yield every text with its place. The depth is bounded: the parser has taken the body before."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts(one, (*place, index))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield (*place, name), name
            yield from _texts(one, (*place, name))


def _sentence(text: str) -> str:
    return f"{text.removeprefix('Value error, ').rstrip('.')}."


def _too_large(limit: int) -> ProblemRaised:
    return ProblemRaised("body_too_large", f"The body may have {limit // KIB} KiB at most.")
