"""The vectors that other languages test against hold for our own code, and for independent implementations."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

import contracts.exports
import contracts.seal
from contracts import proof
from contracts.exports import ExportReceipt
from contracts.frames import sealed_length
from services.chassis.crypto.frames import FrameReader, FrameWriter
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.proof import Unproven, check, prove
from services.chassis.crypto.seal import BrokenSeal, kid_in, seal, unseal
from services.chassis.exports import BrokenExport, ExportedRecord, ExportReader, ExportWriter

VECTORS = Path(contracts.seal.__file__).parent / "vectors"


def _cases(file: str, name: str) -> list[Any]:
    cases: list[Any] = json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))[name]
    return [pytest.param(case, id=str(case.get("name", case.get("kid", case.get("size"))))) for case in cases]


def _keys(case: dict[str, Any]) -> ProcessorKeys:
    """Return keys whose sealing and proving key are both the vector's."""
    key = bytes.fromhex(case["key_hex"])
    processor, _, version = case["kid"].partition("/")
    return ProcessorKeys(processor, int(version), sealing=key, proving=key)


@pytest.mark.parametrize("case", _cases("keys", "keys"))
def test_keys_come_from_the_enrolment_secret(case: dict[str, Any]) -> None:
    secret = base64.b64decode(case["secret_base64"])
    keys = ProcessorKeys.from_secret(case["processor"], case["version"], secret)
    assert keys.kid == case["kid"]
    for name, key in (("sealing", keys.sealing), ("proving", keys.proving)):
        info = case[f"{name}_info"].encode()
        assert key.hex() == case[f"{name}_hex"]
        assert HKDF(hashes.SHA256(), 32, None, info).derive(secret) == key


@pytest.mark.parametrize("case", _cases("proof", "proofs"))
def test_a_proof_is_what_the_vector_says(case: dict[str, Any]) -> None:
    message = {
        "topic": case["topic"],
        "key": case["record_key"].encode(),
        "headers": case["headers"],
        "body": base64.b64decode(case["body_base64"]),
    }
    covered = proof.signing_input(kid=case["kid"], **message)
    assert hashlib.sha256(covered).hexdigest() == case["signing_input_sha256"]
    assert hmac.new(bytes.fromhex(case["key_hex"]), covered, "sha256").hexdigest() == case["mac_hex"]
    assert prove(_keys(case), **message) == case["proof"]
    assert check(FixedKeys([_keys(case)]), case["proof"], **message) == case["kid"]


@pytest.mark.parametrize("part", ["topic", "key", "headers", "body"])
def test_a_proof_covers_each_part(part: str) -> None:
    case = _cases("proof", "proofs")[0].values[0]
    message = {
        "topic": case["topic"],
        "key": case["record_key"].encode(),
        "headers": case["headers"],
        "body": base64.b64decode(case["body_base64"]),
    }
    other = {
        "topic": "habeas.tasks.files.v1",
        "key": b"req_other",
        "headers": {**case["headers"], "ce_time": "2026-11-20T09:30:03Z"},
        "body": message["body"].replace(b"erase", b"export"),
    }
    assert other[part] != message[part]
    with pytest.raises(Unproven):
        check(FixedKeys([_keys(case)]), case["proof"], **{**message, part: other[part]})


@pytest.mark.parametrize("case", _cases("seal", "opens"))
def test_a_seal_opens_to_what_the_vector_says(case: dict[str, Any]) -> None:
    plaintext = unseal(_keys(case), case["jwe"])
    assert plaintext.decode() == case["plaintext"]
    assert kid_in(case["jwe"]) == case["kid"]
    model = getattr(contracts.seal, case["model"])
    assert model.model_validate_json(plaintext).model_dump(mode="json", exclude_unset=True) == json.loads(
        case["plaintext"]
    )


def _opened_by_hand(key: bytes, sealed: str) -> bytes:
    """Open a seal as RFC 7516 has it, by the primitives alone."""
    head, wrapped, iv, ciphertext, tag = (part.encode() for part in sealed.split("."))
    assert json.loads(_bytes(head)) == {"alg": "A256KW", "enc": "A256GCM", "kid": kid_in(sealed)}
    content_key = aes_key_unwrap(key, _bytes(wrapped))
    return AESGCM(content_key).decrypt(_bytes(iv), _bytes(ciphertext) + _bytes(tag), head)


def _bytes(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"==")


@pytest.mark.parametrize("case", _cases("seal", "opens"))
def test_any_jose_library_opens_our_seals(case: dict[str, Any]) -> None:
    sealed = seal(_keys(case), case["plaintext"].encode())
    key = bytes.fromhex(case["key_hex"])
    opened = jwe.decrypt_compact(sealed, OctKey.import_key(key), algorithms=[contracts.seal.ALG, contracts.seal.ENC])
    assert opened.plaintext == case["plaintext"].encode()
    assert opened.headers() == {"alg": contracts.seal.ALG, "enc": contracts.seal.ENC, "kid": case["kid"]}
    assert _opened_by_hand(key, sealed) == case["plaintext"].encode()
    assert _opened_by_hand(key, case["jwe"]) == case["plaintext"].encode()


def test_a_content_key_is_fresh_for_each_seal() -> None:
    keys = ProcessorKeys.from_secret("crm-eu", 1, bytes(32))
    first, second = (seal(keys, b"same").split(".") for _ in range(2))
    assert first[0] == second[0]
    assert [one for one, other in zip(first[1:], second[1:], strict=True) if one == other] == []


@pytest.mark.parametrize("case", _cases("seal", "refused"))
def test_a_broken_seal_does_not_open(case: dict[str, Any]) -> None:
    with pytest.raises(BrokenSeal):
        unseal(_keys(case), case["jwe"])


@pytest.mark.parametrize("case", [case for case in _cases("seal", "refused") if "changed" in str(case.id)])
def test_any_jose_library_refuses_what_was_changed(case: dict[str, Any]) -> None:
    key = OctKey.import_key(bytes.fromhex(case["key_hex"]))
    with pytest.raises((JoseError, ValueError)):
        jwe.decrypt_compact(case["jwe"], key, algorithms=[contracts.seal.ALG, contracts.seal.ENC])


@pytest.mark.parametrize("case", _cases("frames", "files"))
def test_a_file_in_frames_is_what_the_vector_says(case: dict[str, Any]) -> None:
    key = bytes.fromhex(case["key_hex"])
    plain = bytes(at % 251 for at in range(case["size"]))
    assert hashlib.sha256(plain).hexdigest() == case["plain_sha256"]
    writer = FrameWriter(key, salt=bytes.fromhex(case["salt_hex"]))
    sealed = writer.update(plain) + writer.finish()
    assert len(sealed) == case["sealed_size"] == sealed_length(case["size"])
    assert hashlib.sha256(sealed).hexdigest() == case["sealed_sha256"]
    assert sealed.hex() == case.get("sealed_hex", sealed.hex())
    reader = FrameReader(key)
    assert reader.update(sealed) + reader.finish() == plain


EXPORTS = json.loads((VECTORS / "exports.json").read_text(encoding="utf-8"))
EXPORT_KEY = bytes.fromhex(EXPORTS["export_key_hex"])


async def _stored(case: dict[str, Any]) -> AsyncIterator[bytes]:
    sealed = bytes.fromhex(case["sealed_hex"])
    for at in range(0, len(sealed), 100):
        yield sealed[at : at + 100]


def test_an_export_key_comes_from_the_requests_key() -> None:
    request_key = bytes.fromhex(EXPORTS["request_key_hex"])
    info = contracts.exports.KEY_LABEL + EXPORTS["task"].encode()
    assert HKDF(hashes.SHA256(), 32, None, info).derive(request_key) == EXPORT_KEY


@pytest.mark.parametrize("case", _cases("exports", "exports"))
async def test_an_export_is_what_the_vector_says(case: dict[str, Any]) -> None:
    blocks, sealed = bytes.fromhex(case["blocks_hex"]), bytes.fromhex(case["sealed_hex"])
    frames = FrameReader(EXPORT_KEY)
    assert frames.update(sealed) + frames.finish() == blocks
    receipt = ExportReceipt.model_validate(case["receipt"])
    assert (receipt.size, receipt.sha256) == (len(sealed), hashlib.sha256(sealed).hexdigest())
    things: list[dict[str, Any]] = []
    async for one in ExportReader(_stored(case), EXPORT_KEY, receipt=receipt):
        if isinstance(one, ExportedRecord):
            things.append({"record": {"category": one.category, "fields": one.fields}})
        else:
            text = b"".join([chunk async for chunk in one.chunks]).decode()
            things.append({"file": {"category": one.category, "media_type": one.media_type}, "text": text})
    assert things == case["things"]


@pytest.mark.parametrize("case", _cases("exports", "exports"))
def test_we_write_exports_as_the_vector_says(case: dict[str, Any]) -> None:
    writer = ExportWriter(EXPORT_KEY, salt=bytes.fromhex(case["salt_hex"]))
    written = bytearray()
    for thing in case["things"]:
        if "record" in thing:
            written += b"".join(writer.record(**thing["record"]))
        else:
            text = thing["text"].encode()
            parts = (text[:7], text[7:]) if text else ()
            written += b"".join(writer.file(**thing["file"]))
            written += b"".join(piece for part in parts for piece in writer.data(part))
            written += b"".join(writer.file_end())
    written += b"".join(writer.end())
    assert written.hex() == case["sealed_hex"]
    assert writer.receipt(1).model_dump() == case["receipt"]


@pytest.mark.parametrize("case", _cases("exports", "refused"))
async def test_a_broken_export_is_not_believed(case: dict[str, Any]) -> None:
    reader = ExportReader(_stored(case), EXPORT_KEY)
    with pytest.raises(BrokenExport):
        await _all_of(reader)


async def _all_of(reader: ExportReader) -> None:
    async for _ in reader:
        pass
