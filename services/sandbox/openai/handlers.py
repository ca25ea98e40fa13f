"""What the paths do: read, list, delete, change metadata; each change is on the ledger before its answer leaves."""

from collections.abc import Awaitable, Callable
from mimetypes import guess_type
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from services.sandbox.openai.calls import Call
from services.sandbox.openai.replies import deleted_body, entry_body, object_body, refuse
from services.sandbox.openai.things import Kind, Thing

Handler = Callable[[Call], Awaitable[Response]]

# What the API calls a deleted object; a response's deletion answers nothing at all.
_DELETED = {
    Kind.FILE: "file",
    Kind.STORE: "vector_store.deleted",
    Kind.COMPLETION: "chat.completion.deleted",
    Kind.CONVERSATION: "conversation.deleted",
}
# What the ledger calls them.
_EFFECTS = {kind: kind.value.replace("chat.completion", "completion") for kind in Kind}
_FILES_A_PAGE = 10_000
_CHUNK = 64 * 1024


def read(kind: Kind) -> Handler:
    """GET /{kind}/{id}."""

    async def handler(call: Call) -> Response:
        return JSONResponse(object_body(call.thing(kind)))

    return handler


def change(kind: Kind) -> Handler:
    """POST /{kind}/{id} {metadata}: nothing else of an object can be changed."""

    async def handler(call: Call) -> Response:
        thing, metadata = call.thing(kind), await call.pairs("metadata")
        changed = not call.lying and thing.metadata != metadata
        if changed:
            thing.metadata = metadata
        call.note(f"{_EFFECTS[kind]}.update", thing.id, thing.person, changed=changed)
        return JSONResponse(object_body(thing) | {"metadata": metadata})

    return handler


def delete(kind: Kind) -> Handler:
    """DELETE /{kind}/{id}: at once; 404 for what is gone."""
    effect = f"{_EFFECTS[kind]}.delete"

    async def handler(call: Call) -> Response:
        call.note_repeat(effect, call.named())
        thing = call.thing(kind)
        if not call.lying:
            call.platform.remove(thing)
        call.note(effect, thing.id, thing.person, changed=not call.lying)
        return JSONResponse(deleted_body(thing.id, _DELETED[kind])) if kind in _DELETED else Response()

    return handler


async def files(call: Call) -> Response:
    """GET /files?purpose&after&limit&order: ten thousand a page."""
    purpose = call.request.query_params.get("purpose")
    found = [one for one in call.platform.all(Kind.FILE) if purpose in (None, one.shown["purpose"])]
    return _listed(call, found, most=_FILES_A_PAGE, default=_FILES_A_PAGE)


async def content(call: Call) -> Response:
    """GET /files/{id}/content: the bytes; what was uploaded for assistants can not be had back."""
    file = call.thing(Kind.FILE)
    if file.shown["purpose"] == "assistants":
        refuse("Not allowed to download files of purpose: assistants")
    chunks = (file.content[start : start + _CHUNK] for start in range(0, len(file.content), _CHUNK))
    media_type = guess_type(file.shown["filename"])[0] or "application/octet-stream"
    return StreamingResponse(chunks, media_type=media_type)


async def stores(call: Call) -> Response:
    """GET /vector_stores?after&limit&order."""
    return _listed(call, call.platform.all(Kind.STORE))


async def entries(call: Call) -> Response:
    """GET /vector_stores/{id}/files?after&limit&order."""
    store = call.thing(Kind.STORE)
    return call.page(list(store.parts), lambda file_id: entry_body(store, file_id))


async def entry(call: Call) -> Response:
    """GET /vector_stores/{id}/files/{file}."""
    store = call.thing(Kind.STORE)
    return JSONResponse(entry_body(store, call.part(store, "vector store file")))


async def change_entry(call: Call) -> Response:
    """POST /vector_stores/{id}/files/{file} {attributes}."""
    store, attributes = call.thing(Kind.STORE), await call.pairs("attributes")
    file_id = call.part(store, "vector store file")
    changed = not call.lying and store.parts[file_id]["attributes"] != attributes
    if changed:
        store.parts[file_id]["attributes"] = attributes
    call.note("vector_store_file.update", file_id, call.platform.whose(store, file_id), changed=changed)
    return JSONResponse(entry_body(store, file_id) | {"attributes": attributes})


async def detach(call: Call) -> Response:
    """DELETE /vector_stores/{id}/files/{file}: out of the store; the file itself stays."""
    call.note_repeat("vector_store_file.delete", f"{call.named()}/{call.named('part')}")
    store = call.thing(Kind.STORE)
    file_id = call.part(store, "vector store file")
    _remove_part(call, store, file_id, "vector_store_file.delete")
    return JSONResponse(deleted_body(file_id, "vector_store.file.deleted"))


async def completions(call: Call) -> Response:
    """GET /chat/completions?metadata[k]=v&after&limit&order: the one list that can be filtered by metadata."""
    params = call.request.query_params
    wanted = {key[9:-1]: value for key, value in params.items() if key.startswith("metadata[") and key.endswith("]")}
    found = [one for one in call.platform.all(Kind.COMPLETION) if wanted.items() <= one.metadata.items()]
    return _listed(call, found, order="asc")


def parts(kind: Kind) -> Handler:
    """GET /{kind}/{id}/messages or /input_items."""

    async def handler(call: Call) -> Response:
        return _parts(call, call.thing(kind), order="asc" if kind is Kind.COMPLETION else "desc")

    return handler


async def items(call: Call) -> Response:
    """GET /conversations/{id}/items: also those that a deleted conversation left."""
    return _parts(call, call.with_items(), order="desc")


async def item(call: Call) -> Response:
    """GET /conversations/{id}/items/{item}."""
    conversation = call.with_items()
    return JSONResponse(conversation.parts[call.part(conversation, "conversation item")])


async def delete_item(call: Call) -> Response:
    """DELETE /conversations/{id}/items/{item}: answers the conversation."""
    call.note_repeat("conversation_item.delete", f"{call.named()}/{call.named('part')}")
    conversation = call.with_items()
    _remove_part(call, conversation, call.part(conversation, "conversation item"), "conversation_item.delete")
    return JSONResponse(object_body(conversation))


def _remove_part(call: Call, thing: Thing, part: str, effect: str) -> None:
    person = call.platform.whose(thing, part)
    if not call.lying:
        call.platform.remove_part(thing, part)
    call.note(effect, f"{thing.id}/{part}", person, changed=not call.lying)


def _listed(call: Call, found: list[Thing], **sizes: Any) -> JSONResponse:
    by_id = {thing.id: thing for thing in found}
    return call.page(list(by_id), lambda one: object_body(by_id[one]), **sizes)


def _parts(call: Call, thing: Thing, *, order: str) -> JSONResponse:
    return call.page(list(thing.parts), lambda part: thing.parts[part], order=order)
