"""Finds what OpenAI keeps of a subject, reads it again, exports it and deletes it, items before conversations."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from habeas.sdk import (
    CannotFulfil,
    Context,
    Disposition,
    File,
    Http,
    Identity,
    IdentityType,
    Item,
    Processor,
    Record,
    Result,
    RetryLater,
    Unlisted,
    WrongPerson,
)
from services.connectors.processors.openai.ids import IdsFile, Key
from services.connectors.processors.openai.vendor import Platform, Thing, UnexpectedAnswerError

FILES, STORES, COMPLETIONS = "files", "vector_stores", "completions"
CONVERSATIONS, RESPONSES = "conversations", "responses"
# A file leaves every vector store when it is deleted. A store that went first would take along the attributes that
# say whose the file is, and a call that failed in between would leave a file that is nobody's.
ORDER = (CONVERSATIONS, RESPONSES, COMPLETIONS, FILES, STORES)
EMPTIED_FIRST = (CONVERSATIONS, STORES)
MOST_VALUE = 512  # characters of a metadata value
# Told with every deletion: the vendor's own log of prompts and answers, kept against abuse, is out of our reach.
STAYS = {"abuse_logs_of_vendor": "up to 30 days"}
NOBODY = Identity(IdentityType.CUSTOMER_ID, "")  # what a thing is matched by that no longer says whose it is


class Settings(BaseModel):
    """What an operator supplies."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    base_url: str = "https://api.openai.com/v1"
    token: SecretStr
    organization: str | None = Field(default=None, pattern=r"^[\w.-]{1,100}$")
    project: str | None = Field(default=None, pattern=r"^[\w.-]{1,100}$")
    metadata_key: str = Field(default="subject_id", pattern=r"^[\w.-]{1,64}$")
    file_name_separator: str = Field(default="__", max_length=8)
    ids_file: Path | None = None

    @field_validator("ids_file")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """What a relative path means depends on where the host was started."""
        if path is not None and not path.is_absolute():
            msg = "ids_file must be an absolute path"
            raise ValueError(msg)
        return path


class OpenAI(Processor[Settings]):
    """One project. An item is an object: `ref` is its id, or `store/file` for a file that a store's entry marks."""

    Config = Settings

    def __init__(self, *, config: Settings, http: Http) -> None:
        """Keep the settings."""
        super().__init__(config=config, http=http)
        token = config.token.get_secret_value()
        self._platform = Platform(http, token=token, organization=config.organization, project=config.project)
        self._ids = IdsFile(config.ids_file) if config.ids_file is not None else None

    async def check(self, ctx: Context) -> None:
        """Read a page of files, and the list of ids to its end."""
        await self._platform.check()
        await self._owners(())

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
        """Find by metadata, by attributes, by file name, and by the application's list where the vendor has none."""
        subjects = self._subjects(ctx.identities)
        listed = await self._ids.of(subjects) if self._ids is not None else {}
        for (category, thing_id), subject in listed.items():
            thing = await self._there(category, thing_id)
            if thing is None:
                continue
            if self._marked(thing) not in ("", subject):
                raise WrongPerson("ids_file_disagrees")
            yield _item(category, thing_id, thing, subjects[subject])
        for subject, identity in subjects.items():
            async for completion in self._platform.things(COMPLETIONS, {self.config.metadata_key: subject}):
                # A vendor that ignored the filter would hand out everybody's.
                if self._marked(completion) == subject:
                    yield _item(COMPLETIONS, completion.id, completion, identity)
        async for item in self._files_and_stores(subjects, named_by_us=listed):
            yield item
        if self._ids is None:
            yield Unlisted(CONVERSATIONS)
            yield Unlisted(RESPONSES)

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        """Read every object again by id: whose its metadata, its name or the application's list says that it is."""
        listed = await self._owners(_key(item) for item in items)
        for item in items:
            category, thing_id = _key(item)
            store = item.ref.rpartition("/")[0]
            entry = await self._platform.entry(store, thing_id) if store else None
            thing = entry or await self._there(category, thing_id)
            if thing is not None:
                owner = self._marked(thing) or listed.get((category, thing_id)) or self._named(thing)
                if store and not owner:
                    # Its entry went. A file's content never changes, so it still is whose the entry said it was.
                    owner = item.matched.value
                matched = Identity(IdentityType.CUSTOMER_ID, owner) if owner else NOBODY
                yield Item(item.ref, category, matched, dated=thing.made_on)

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        """Yield an object's own record, then its messages, items or entries, and of a file its bytes."""
        for item in items:
            category, thing_id = _key(item)
            thing = await self._there(category, thing_id)
            if thing is None:
                raise RetryLater("gone_meanwhile")  # the next attempt reads again, and tells that it is not there
            if category == FILES:
                async for part in self._file(item, thing):
                    yield part
                continue
            yield Record(item, thing.raw)
            async for piece in self._platform.parts(category, thing_id):
                yield Record(item, {"part_of": thing_id, **piece.raw})

    def taken_with(self, item: Item) -> str:
        """A store goes with the files that only its entries mark: without it nobody could say whose they are."""
        store, _, _ = item.ref.rpartition("/")
        return store or item.ref

    async def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
        """Delete by id; a conversation's items and a store's entries go first, each on its own."""
        inward = sorted(items, key=lambda item: ORDER.index(item.category))
        return [Result(item, await self._delete(*_key(item)), evidence=STAYS) for item in inward]

    async def _delete(self, category: str, thing_id: str) -> Disposition:
        if category not in EMPTIED_FIRST:
            there = await self._platform.delete(category, thing_id)
            return Disposition.ERASED if there else Disposition.ALREADY_DONE
        # What does not go empty is left: without the conversation its items could not be told whose they are. To look
        # again, which the engine does next, tells that it is still there.
        if await self._platform.emptied(category, thing_id):
            await self._platform.delete(category, thing_id)
        return Disposition.ERASED

    async def _files_and_stores(
        self, subjects: Mapping[str, Identity], named_by_us: Mapping[Key, str]
    ) -> AsyncIterator[Item]:
        """Walk all files and stores: neither list can be filtered. Another subject's store is not looked into."""
        known = {thing_id for category, thing_id in named_by_us if category == FILES}
        async for file in self._platform.things(FILES):
            subject = self._named(file)
            if subject in subjects and file.id not in known:
                known.add(file.id)
                yield _item(FILES, file.id, file, subjects[subject])
        stores: list[Item] = []
        async for store in self._platform.things(STORES):
            owner = self._marked(store)
            if owner in subjects:
                stores.append(_item(STORES, store.id, store, subjects[owner]))
            elif owner:
                continue
            async for entry in self._platform.parts(STORES, store.id):
                subject = self._marked(entry)
                if subject in subjects and entry.id not in known:
                    known.add(entry.id)
                    yield _item(FILES, f"{store.id}/{entry.id}", entry, subjects[subject])
        for item in stores:
            yield item

    async def _there(self, category: str, thing_id: str) -> Thing | None:
        """Return the object, or what a deletion left of it: a conversation's items outlive it."""
        thing = await self._platform.thing(category, thing_id)
        if thing is None and category == CONVERSATIONS:
            async for _ in self._platform.parts(category, thing_id):
                return Thing(thing_id, {"id": thing_id, "object": "conversation", "deleted": True})
        return thing

    async def _file(self, item: Item, file: Thing) -> AsyncIterator[Record | File]:
        async with self._platform.content(file.id) as stream:
            if stream.status == 404:
                raise RetryLater("gone_meanwhile")
            # What was uploaded for assistants can not be had back: the vendor says so with a 400, by nothing else.
            if stream.status not in (200, 400):
                raise UnexpectedAnswerError(stream.status)
            handed_out = stream.status == 200
            yield Record(item, {**file.raw, "content": "attached" if handed_out else "not_handed_out_by_vendor"})
            if handed_out:
                yield File(item, guess_type(file.name)[0] or "application/octet-stream", _whole(stream.chunks, file))

    def _subjects(self, identities: Sequence[Identity]) -> dict[str, Identity]:
        """Return the subject's ids; raise `CannotFulfil` for one that could be taken for another's."""
        separator = self.config.file_name_separator
        subjects = {each.value.strip(): each for each in identities if each.type is IdentityType.CUSTOMER_ID}
        for subject in subjects:
            if not subject or len(subject) > MOST_VALUE or (separator and separator in subject):
                raise CannotFulfil("unsafe_customer_id")
        return subjects

    async def _owners(self, keys: Iterable[Key]) -> dict[Key, str]:
        return await self._ids.owners(frozenset(keys)) if self._ids is not None else {}

    def _marked(self, thing: Thing) -> str:
        """Return whose an object's metadata or attributes say that it is, "" where they do not say."""
        return thing.marks.get(self.config.metadata_key, "").strip()

    def _named(self, thing: Thing) -> str:
        """Return whose a file's name says that it is: what stands before the separator, "" without one."""
        separator = self.config.file_name_separator
        owner, found, _ = thing.name.partition(separator) if separator else ("", "", "")
        return owner.strip() if found else ""


async def _whole(chunks: AsyncIterator[bytes], file: Thing) -> AsyncIterator[bytes]:
    """Pass on the bytes of a file; raise `RetryLater` when they are not as many as the vendor said."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        yield chunk
    if file.size not in (None, size):
        raise RetryLater("file_incomplete")


def _item(category: str, ref: str, thing: Thing, matched: Identity) -> Item:
    return Item(ref, category, matched, dated=thing.made_on)


def _key(item: Item) -> Key:
    return item.category, item.ref.rpartition("/")[2]
