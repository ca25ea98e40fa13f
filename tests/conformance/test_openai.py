"""OpenAI: the conformance kit and what is peculiar to it, against the sandbox."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from habeas.engine import Again, Park, Settled
from habeas.sdk import Action, Disposition, File, Http, Identity, IdentityType, Manifest, Processor, Record
from habeas.testing import Crashed, DyingLedger, MemoryExports, ProcessorConformance, Trial, VendorUnderTest
from habeas.vocabulary import AttentionReason, Checked
from services.connectors.processors.openai import OpenAI
from services.connectors.processors.openai import processor as openai
from tests.conformance.sandbox import Sandbox, SandboxVendor, known_by
from tests.plain import HTTP

MANIFEST = Manifest.load(Path(openai.__file__).with_name("manifest.toml"))


class OpenAIVendor(SandboxVendor):
    name = "openai"
    manifest = MANIFEST
    token = "sandbox-openai-token"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.ids_file: Path | None = sandbox.home / "application" / "openai-ids.jsonl"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox.http_port}/openai/v1"

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Processor[Any]]:
        token = SecretStr(self.token)
        config = openai.Settings(base_url=self.base_url, token=token, project="proj_sandbox", ids_file=self.ids_file)
        http = Http(base_url=self.base_url, timeout=20, transport=self.transport())
        async with http, OpenAI(config=config, http=http) as processor:
            yield processor

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        customer_id = next(each.value for each in identities if each.type is IdentityType.CUSTOMER_ID)
        residents = self.sandbox.control("GET", "/people")["people"]
        person = next(one for one in residents if one["customer_id"] == customer_id)
        return (person["name"], person["email"], person["phone"])

    def ask(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return HTTP.request(method, f"{self.base_url}{path}", headers=headers, json=body)


@pytest.fixture
def ai(sandbox: Sandbox) -> OpenAIVendor:
    return OpenAIVendor(sandbox)


class TestOpenAI(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def vendor(self) -> VendorUnderTest:
        return OpenAIVendor(self.sandbox)


def lines_of(verdict: object) -> set[tuple[str, Disposition, int, Checked]]:
    assert isinstance(verdict, Settled), verdict
    return {(line.category, line.disposition, line.count, line.checked) for line in verdict.lines}


ALL_ERASED = {
    (category, Disposition.ERASED, count, Checked.VERIFIED)
    for category, count in (
        ("files", 2),
        ("vector_stores", 1),
        ("completions", 1),
        ("conversations", 1),
        ("responses", 1),
    )
}


async def test_everything_that_is_marked_or_listed_goes_and_is_told_by_category(ai: OpenAIVendor) -> None:
    assert lines_of(await Trial(ai, known_by(ai.sandbox.person())).finish()) == ALL_ERASED


async def test_what_can_not_be_listed_is_told_and_never_taken_for_nothing(ai: OpenAIVendor) -> None:
    ai.ids_file = None
    unlisted = {(category, Disposition.FAILED, 0, Checked.NOT_CHECKABLE) for category in ("conversations", "responses")}
    person = known_by(ai.sandbox.person())
    assert lines_of(await Trial(ai, person).finish()) == unlisted | {
        line for line in ALL_ERASED if line[0] not in ("conversations", "responses")
    }
    assert await ai.remains(person) == 1 + 3 + 1  # the conversation with its items, and the response
    verdict = await Trial(ai, await ai.nobody()).finish()
    assert lines_of(verdict) >= unlisted
    assert isinstance(verdict, Settled)
    assert {line.reason for line in verdict.lines if line.disposition is Disposition.FAILED} == {"cannot_be_listed"}


@pytest.mark.parametrize(
    "oddity",
    [
        "object with three versions",  # a file in a store of the team, marked there alone
        "object under a delete marker",  # items that a deleted conversation left behind
        "many objects",  # more than a page of items
        "no objects",  # known by ids alone
    ],
)
async def test_finds_what_there_is_however_it_is_kept(ai: OpenAIVendor, oddity: str) -> None:
    identities = known_by(ai.sandbox.person(oddity))
    ai.knobs(page_cap=7)
    assert await ai.remains(identities) > 0
    verdict = await Trial(ai, identities).finish()
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}
    assert await ai.remains(identities) == 0


async def test_items_go_before_their_conversation_and_each_once(ai: OpenAIVendor) -> None:
    person = ai.sandbox.person()
    await Trial(ai, known_by(person)).finish()
    effects = [one for one in ai.sandbox.effects("openai", person["customer_id"]) if one["changed"]]
    about = [one["effect"] for one in effects if "conversation" in one["effect"]]
    assert about == ["conversation_item.delete"] * 3 + ["conversation.delete"]
    assert len({(one["effect"], one["target"]) for one in effects}) == len(effects)


async def test_a_conversation_whose_items_do_not_go_is_not_deleted(ai: OpenAIVendor) -> None:
    person = ai.sandbox.person()
    ai.knobs(lie=1, only="/items/")
    verdict = await Trial(ai, known_by(person)).finish()
    assert verdict == Park(AttentionReason.RESIDUE_REMAINS, "residue_remains")
    assert ai.ask("GET", f"/conversations/{person['openai']['conversation'][0]}").status_code == 200
    await ai.calm()


async def test_a_thing_that_was_marked_anew_is_somebody_elses(ai: OpenAIVendor) -> None:
    person = ai.sandbox.person()
    completion = person["openai"]["chat.completion"][0]
    ai.ask("POST", f"/chat/completions/{completion}", {"metadata": {"subject_id": "c-other"}})
    verdict = await Trial(ai, known_by(person)).finish()
    assert isinstance(verdict, Settled)
    assert "completions" not in {line.category for line in verdict.lines}
    assert ai.ask("GET", f"/chat/completions/{completion}").status_code == 200


async def test_a_list_that_contradicts_the_vendor_stops_the_task_before_anything(ai: OpenAIVendor) -> None:
    person = ai.sandbox.person()
    before = await ai.remains(known_by(person))
    conversation = person["openai"]["conversation"][0]
    ai.ask("POST", f"/conversations/{conversation}", {"metadata": {"subject_id": "c-other"}})
    verdict = await Trial(ai, known_by(person)).finish()
    assert verdict == Park(AttentionReason.WRONG_PERSON, "ids_file_disagrees")
    assert await ai.remains(known_by(person)) == before


async def test_a_line_that_is_not_understood_stops_the_task_and_is_named(ai: OpenAIVendor, tmp_path: Path) -> None:
    person = ai.sandbox.person()
    ai.ids_file = tmp_path / "ids.jsonl"
    good = {"subject": person["customer_id"], "object": "response", "id": person["openai"]["response"][0]}
    ai.ids_file.write_text(json.dumps(good) + '\n{"subject": "c-1", "object": \n')
    verdict = await Trial(ai, known_by(person)).run()
    assert verdict == Again("ids_file_malformed_line_2", counts=True)
    ai.ids_file.unlink()
    assert await Trial(ai, known_by(person)).run() == Again("ids_file_unreadable", counts=True)


async def test_the_list_is_read_anew_for_each_task(ai: OpenAIVendor, tmp_path: Path) -> None:
    person = ai.sandbox.person()
    ai.ids_file = tmp_path / "ids.jsonl"
    ai.ids_file.write_text("")
    line = {"subject": person["customer_id"], "object": "conversation", "id": person["openai"]["conversation"][0]}
    async with ai.open() as processor:
        before = await Trial(ai, known_by(person), action=Action.EXPORT, processor=processor).finish()
        ai.ids_file.write_text(json.dumps(line) + "\n")
        after = await Trial(ai, known_by(person), processor=processor).finish()
    assert isinstance(before, Settled)
    assert isinstance(after, Settled)
    assert [("conversations" in {one.category for one in each.lines}) for each in (before, after)] == [False, True]


@pytest.mark.parametrize("effect", ["DELETE /files", "DELETE /conversations", "DELETE /responses", "DELETE /vector"])
async def test_a_reply_lost_after_a_deletion_is_told_as_our_own_doing(ai: OpenAIVendor, effect: str) -> None:
    identities = known_by(ai.sandbox.person())
    ai.knobs(drop_reply=1, only=effect.replace(" /", " /openai/v1/"), times=1)
    trial = Trial(ai, identities)
    assert isinstance(await trial.run(), Again)
    assert lines_of(await trial.finish()) == ALL_ERASED
    assert await ai.remains(identities) == 0


async def test_a_spent_quota_is_told_by_its_name_and_asked_about_until_somebody_has_paid(ai: OpenAIVendor) -> None:
    ai.knobs(quota=1)
    trial = Trial(ai, known_by(ai.sandbox.person()))
    assert await trial.run() == Again("insufficient_quota", after=600.0)
    ai.knobs()
    assert lines_of(await trial.finish()) == ALL_ERASED


async def test_milliseconds_count_where_the_vendor_names_them(ai: OpenAIVendor) -> None:
    ai.knobs(rate_limit={"rate": 1, "seconds": 60}, retry_after_ms=2_500)
    assert await Trial(ai, known_by(ai.sandbox.person())).run() == Again("rate_limited", after=2.5)
    ai.knobs(rate_limit={"rate": 1, "retry_after": "none", "seconds": 7})
    assert await Trial(ai, known_by(ai.sandbox.person())).run() == Again("rate_limited", after=7.0)


@pytest.mark.parametrize("form", ["seconds", "date", "absurd", "negative", "none"])
async def test_a_throttled_call_waits_within_bounds(ai: OpenAIVendor, form: str) -> None:
    ai.knobs(rate_limit={"rate": 1, "retry_after": form})
    verdict = await Trial(ai, known_by(ai.sandbox.person())).run()
    assert isinstance(verdict, Again)
    assert verdict.after is not None
    assert 1.0 <= verdict.after <= 86_400.0


async def test_a_copy_holds_records_and_bytes_and_says_what_is_not_handed_out(ai: OpenAIVendor) -> None:
    person = ai.sandbox.person()
    exports = MemoryExports()
    trial = Trial(ai, known_by(person), action=Action.EXPORT, exports=exports)
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.EXPORTED}
    assert exports.finished is not None
    records = [one for one in exports.finished if isinstance(one, Record)]
    files = [one for one in exports.finished if not isinstance(one, Record)]
    assert [(file.media_type, person["name"] in body.decode()) for file, body in files] == [("text/plain", True)]
    assert all(isinstance(file, File) for file, _ in files)
    assert sorted(str(one.fields["content"]) for one in records if one.fields.get("object") == "file") == [
        "attached",
        "not_handed_out_by_vendor",
    ]
    parts = [one.item.category for one in records if "part_of" in one.fields]
    assert {category: parts.count(category) for category in set(parts)} == {
        "conversations": 3,
        "responses": 1,
        "completions": 1,
        "vector_stores": 2,
    }


@pytest.mark.parametrize("value", [" ", "c__1", "x" * 513])
async def test_an_id_that_could_be_taken_for_anothers_is_refused(ai: OpenAIVendor, value: str) -> None:
    verdict = await Trial(ai, (Identity(IdentityType.CUSTOMER_ID, value),)).finish()
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "unsafe_customer_id")]


async def test_an_id_that_begins_like_another_touches_only_its_own(ai: OpenAIVendor) -> None:
    long = known_by(ai.sandbox.person())
    before = await ai.remains(long)
    await Trial(ai, (Identity(IdentityType.CUSTOMER_ID, long[1].value[:-1]),)).finish()
    assert await ai.remains(long) == before


async def test_a_wrong_key_parks_the_task(ai: OpenAIVendor) -> None:
    ai.token = "wrong"
    verdict = await Trial(ai, await ai.nobody()).finish()
    assert verdict == Park(AttentionReason.CREDENTIALS_REJECTED, "credentials_rejected")


async def test_a_file_whose_entry_went_before_it_is_still_found_to_be_there(ai: OpenAIVendor) -> None:
    person = ai.sandbox.person()
    store = person["openai"]["vector_store"][0]
    trial = Trial(ai, known_by(person), ledger=DyingLedger())
    with pytest.raises(Crashed):
        await trial.run()
    ai.ask("DELETE", f"/vector_stores/{store}")
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert ("files", Disposition.ERASED, 2, Checked.VERIFIED) in lines_of(verdict)
    assert await ai.remains(known_by(person)) == 0
