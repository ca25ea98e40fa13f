"""OpenAI's HTTP API as far as this processor needs it: lists, strong reads, parts, contents, deletion by id."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from habeas.sdk import Answer, CredentialsRejected, Http, ProcessorError, RetryLater, Stream, busy, retry_after

PATHS = {
    "files": "/files",
    "vector_stores": "/vector_stores",
    "completions": "/chat/completions",
    "conversations": "/conversations",
    "responses": "/responses",
}
# Where the parts of a thing are, and whether each is deleted on its own before the thing is.
PARTS = {
    "vector_stores": "files",
    "completions": "messages",
    "conversations": "items",
    "responses": "input_items",
}
MOST_FILES = 10_000
PAGE = 100

# 429 as well, but of the kind that lasts until somebody pays.
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
SPENT = "insufficient_quota"
SPENT_PAUSE = 600.0  # seconds
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,256}")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


class UnexpectedAnswerError(Exception):
    """OpenAI refused a call as we made it. No excuse to refuse the person."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object: `marks` are its metadata or attributes, `raw` all that the API says of it."""

    id: str = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def marks(self) -> Mapping[str, str]:
        """Metadata, or the attributes of a file in a vector store; text values only."""
        marks = self.raw.get("metadata") or self.raw.get("attributes")
        if not isinstance(marks, dict):
            return {}
        return {key: value for key, value in marks.items() if isinstance(value, str)}

    @property
    def name(self) -> str:
        """A file's name, "" where there is none."""
        name = self.raw.get("filename")
        return name if isinstance(name, str) else ""

    @property
    def size(self) -> int | None:
        """A file's size in bytes, None where the vendor does not say."""
        size = self.raw.get("bytes")
        return size if isinstance(size, int) else None

    @property
    def made_on(self) -> date | None:
        """The day on which it was made, in UTC."""
        at = self.raw.get("created_at", self.raw.get("created"))
        try:
            return datetime.fromtimestamp(at, UTC).date() if isinstance(at, int | float) else None
        except (ValueError, OverflowError, OSError):
            return None


class Platform:
    """The calls. Every one raises `RetryLater` or `CredentialsRejected` as `Http` does (403 is the latter), and
    `UnexpectedAnswerError` on any other answer that is not understood.
    """

    def __init__(self, http: Http, *, token: str, organization: str | None, project: str | None) -> None:
        """Take the key, and the organization and project that it is used for."""
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}
        if organization:
            self._headers["openai-organization"] = organization
        if project:
            self._headers["openai-project"] = project

    async def check(self) -> None:
        """Read one page of files."""
        await self._call("GET", PATHS["files"], {"limit": "1"})

    async def things(self, category: str, marks: Mapping[str, str] | None = None) -> AsyncIterator[Thing]:
        """Yield everything of a category, oldest first; `marks` filter completions, and nothing else can be filtered.

        An object that is deleted while its list is read may be where the next page begins: `RetryLater`.
        """
        limit = MOST_FILES if category == "files" else PAGE
        filters = {f"metadata[{key}]": value for key, value in (marks or {}).items()}
        async for thing in self._listed(PATHS[category], limit, filters):
            yield thing

    async def thing(self, category: str, thing_id: str) -> Thing | None:
        """Return one object by a strong read, None when there is none."""
        return await self._thing(f"{PATHS[category]}/{thing_id}")

    async def parts(self, category: str, thing_id: str) -> AsyncIterator[Thing]:
        """Yield a thing's messages, items or entries, oldest first; nothing when it is gone."""
        async for part in self._listed(f"{PATHS[category]}/{thing_id}/{PARTS[category]}", PAGE):
            yield part

    async def entry(self, store: str, file_id: str) -> Thing | None:
        """Return a file's entry in a vector store, None when it is not in there."""
        return await self._thing(f"{PATHS['vector_stores']}/{store}/files/{file_id}")

    def content(self, file_id: str) -> AbstractAsyncContextManager[Stream]:
        """Return the bytes of a file as they come: 404 when it is gone, 400 when the vendor does not hand it out."""
        path = f"{PATHS['files']}/{file_id}/content"
        return self._http.stream("GET", path, headers=self._headers, judge=_judge)

    async def delete(self, category: str, thing_id: str) -> bool:
        """Delete one object; False when there is none. A response's deletion answers without a body."""
        return await self._delete(f"{PATHS[category]}/{thing_id}")

    async def emptied(self, category: str, thing_id: str) -> bool:
        """Delete each part of a thing, until a fresh read finds none; False when some do not go."""
        tried: set[str] = set()
        while True:
            left = [part.id async for part in self.parts(category, thing_id)]
            fresh = [part for part in left if part not in tried]
            if not fresh:
                return not left
            for part in fresh:
                await self._delete(f"{PATHS[category]}/{thing_id}/{PARTS[category]}/{part}")
                tried.add(part)

    async def _listed(self, path: str, limit: int, filters: Mapping[str, str] | None = None) -> AsyncIterator[Thing]:
        after = ""
        while True:
            params = {"limit": str(limit), "order": "asc", **(filters or {})} | ({"after": after} if after else {})
            answer = await self._call("GET", path, params, accept=(200, 400, 404))
            if answer.status == 404 and not after:
                return
            if answer.status != 200:
                if after:
                    raise RetryLater("list_changed", after=1.0)
                raise UnexpectedAnswerError(answer.status)
            rows, more = _page(answer)
            for row in rows:
                yield row
            if not more:
                return
            if not rows or rows[-1].id == after:
                raise RetryLater("cursor_stands_still")
            after = rows[-1].id

    async def _thing(self, path: str) -> Thing | None:
        answer = await self._call("GET", path, accept=(200, 404))
        return None if answer.status == 404 else _thing(answer.json())

    async def _delete(self, path: str) -> bool:
        answer = await self._call("DELETE", path, accept=(200, 204, 404))
        # A proxy's page is no deletion. An item's answers its conversation, a response's has no body at all.
        if answer.status == 200 and answer.body:
            document = answer.json()
            if not isinstance(document, dict) or document.get("deleted", True) is not True:
                raise RetryLater("unreadable_answer")
        return answer.status != 404

    async def _call(
        self, method: str, path: str, params: Mapping[str, str] | None = None, *, accept: tuple[int, ...] = (200,)
    ) -> Answer:
        answer = await self._http.call(method, path, params=params, headers=self._headers, judge=_judge)
        if answer.status not in accept:
            raise UnexpectedAnswerError(answer.status)
        return answer


def _page(answer: Answer) -> tuple[list[Thing], bool]:
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise RetryLater("unreadable_answer")
    return [_thing(row) for row in body["data"]], bool(body.get("has_more"))


def _thing(raw: object) -> Thing:
    thing_id = raw.get("id") if isinstance(raw, dict) else None
    # What goes into a path must not lead out of it.
    if not isinstance(raw, dict) or not isinstance(thing_id, str) or not _ID.fullmatch(thing_id) or ".." in thing_id:
        raise RetryLater("unreadable_answer")
    return Thing(thing_id, raw)


def _judge(answer: Answer) -> ProcessorError | None:
    """Tell a spent quota from a burst, and read the vendor's ways to say how long to wait."""
    if answer.status == 403:
        return CredentialsRejected("missing_permission")
    if answer.status == 429 and _SPENT & _words(answer.body):
        return RetryLater(SPENT, after=SPENT_PAUSE)  # the key is good: a new one would not help
    if answer.status == 409:  # two calls on one object at a time
        return RetryLater("conflict", after=_wait(answer.headers))
    error = busy(answer.status, answer.headers)
    return RetryLater(error.reason, after=_wait(answer.headers)) if error is not None else None


def _words(body: bytes) -> set[str]:
    """Return the machine words of an error body: its type and code."""
    try:
        document = json.loads(body)
    except ValueError:
        return set()
    error = document.get("error") if isinstance(document, dict) else None
    return {str(error.get("type")), str(error.get("code"))} if isinstance(error, dict) else set()


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait: `retry-after-ms` is the finest, then `retry-after`, then a spent limit's reset."""
    for asked in (_from_milliseconds(headers.get("retry-after-ms", "")), headers.get("retry-after")):
        after = retry_after(asked)
        if after is not None:
            return after
    resets = [
        _seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
    ]
    return retry_after(str(max(resets))) if any(resets) else None


def _from_milliseconds(value: str) -> str | None:
    try:
        return str(float(value) / 1_000)
    except ValueError:
        return None


def _seconds(duration: str) -> float:
    """Return the seconds of a duration such as `6m0s`, `1.5s` or `120ms`; 0 for anything else."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return 0.0
    hours, minutes, seconds, milliseconds = (float(each or 0) for each in found.groups())
    return hours * 3_600 + minutes * 60 + seconds + milliseconds / 1_000
