"""Every way in which a record can be wrong, made of a genuine one, and what becomes of it at whoever reads it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from contracts.proof import render
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.kafka.codecs import MOST
from tests.batches import CODECS, header_name
from tests.journeys.broker import Record

ENOUGH = 25  # more in a row than a consumer bears of those that are proven


@dataclass(frozen=True)
class Keys:
    """Those of the topic's rightful sender, and those of another that is enrolled here."""

    own: ProcessorKeys
    other: ProcessorKeys


Spoil = Callable[[Record, Keys], Record]


def spoilt(genuine: Record, keys: Keys, *, knows_all: bool) -> list[tuple[Record, str]]:
    """Return wrong records, all with the event id of the genuine one, each with the reason of its dead letter.

    `knows_all` says whether the reader knows the keys of every processor, or of this one alone.
    """
    anothers = "proof_of_another_processor" if knows_all else "unknown_kid"
    reasons = {**REASONS, "proof of another": anothers}
    return [(spoil(genuine, keys), reasons[name]) for name, spoil in WAYS.items()]


def many_unproven(genuine: Record) -> list[Record]:
    """Return enough unproven records to halt a consumer, were they counted."""
    return [genuine.with_header("habeas-proof", None)] * ENOUGH


def _other_body(record: Record) -> bytes:
    assert record.value is not None
    return record.value.replace(b'"livemode":true', b'"livemode":false')


def _kid_of_nobody(record: Record, keys: Keys) -> Record:
    return record.proven(replace(keys.own, version=9))


def _packed(codec: str) -> Spoil:
    return lambda one, _: replace(one.with_header("habeas-proof", None), codec=codec)


WAYS: dict[str, Spoil] = {
    "bad JSON": lambda one, _: replace(one, value=b'{"livemode": tr'),
    "bad JSON, proven": lambda one, keys: replace(one, value=b'{"livemode": tr').proven(keys.own),
    "not UTF-8, proven": lambda one, keys: replace(one, value=b'{"livemode": "\xff\xfe"}').proven(keys.own),
    "empty body, proven": lambda one, keys: replace(one, value=b"{}").proven(keys.own),
    "forged body under the genuine event id": lambda one, _: replace(one, value=_other_body(one)),
    "key of another": lambda one, _: replace(one, key=b"req_00000000000000000000000000"),
    "null header": lambda one, _: replace(one, headers=(*one.headers, ("extra", None))),
    "binary header": lambda one, _: replace(one, headers=(*one.headers, ("extra", b"\xff\xfe"))),
    "header name that is no text": lambda one, _: replace(
        one, headers=(*one.headers, (header_name(b"\xff\xfe"), b"x"))
    ),
    "repeated header": lambda one, _: replace(one, headers=(*one.headers, one.headers[0])),
    "no headers": lambda one, _: replace(one, headers=()),
    "no body": lambda one, _: replace(one, value=None),
    "NUL in the event id": lambda one, _: one.with_header("ce_id", b"evt\x00"),
    "another event id": lambda one, _: one.with_header("ce_id", b"evt_01M7W4N5E0H3HBY6FEEGCBMF3Q"),
    "no proof": lambda one, _: one.with_header("habeas-proof", None),
    "malformed proof": lambda one, _: one.with_header("habeas-proof", b"v1;kid=x"),
    "forged proof": lambda one, keys: one.with_header(
        "habeas-proof", render(keys.own.kid, secrets.token_bytes(32)).encode()
    ),
    "proof of another": lambda one, keys: one.proven(keys.other),
    "proof of nobody": _kid_of_nobody,
    "proof of another topic": lambda one, keys: replace(
        replace(one, topic="habeas.elsewhere.v1").proven(keys.own), topic=one.topic
    ),
    **{f"{codec} without a proof": _packed(codec) for codec in CODECS if codec != "none"},
    "small and without end": lambda one, _: replace(one, value=bytes(2 * MOST), codec="zstd"),
    "unknown type": lambda one, keys: one.with_header("ce_type", b"dev.habeas.task.exploded.v1").proven(keys.own),
    "unknown version": lambda one, keys: one.with_header(
        "ce_type", one.header("ce_type").replace(b".v1", b".v9")
    ).proven(keys.own),
}
REASONS: dict[str, str] = {
    **dict.fromkeys(WAYS, "forged_proof"),
    **dict.fromkeys(("bad JSON, proven", "not UTF-8, proven", "empty body, proven"), "malformed_body"),
    **dict.fromkeys(("null header", "binary header", "repeated header", "no headers"), "not_a_cloudevent"),
    "header name that is no text": "unreadable_record",
    "small and without end": "unreadable_batch",
    "no body": "no_key_or_value",
    **dict.fromkeys((name for name in WAYS if name.endswith("without a proof")), "no_proof"),
    "no proof": "no_proof",
    "malformed proof": "malformed_proof",
    "proof of nobody": "unknown_kid",
    **dict.fromkeys(("unknown type", "unknown version"), "unknown_type"),
}
