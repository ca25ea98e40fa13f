"""What the pieces cost that every task pays for: seal and open, proof and check, a message composed and decoded."""

import secrets
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from contracts import ids
from contracts.seal import SealedIdentity, SealedSubject
from contracts.tasks import TaskDispatched
from contracts.topics import TASKS
from habeas.vocabulary import Action, IdentityType, Right
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.proof import check, prove
from services.chassis.crypto.seal import seal, unseal
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.decoding import Decoder, Raw

TIMES, ROUNDS = 400, 7


def pieces() -> dict[str, float]:
    """Return microseconds by name: the quickest of some rounds, since whatever disturbs can only add."""
    keys = ProcessorKeys.from_secret("instant-a", 1, secrets.token_bytes(32))
    identities = (
        SealedIdentity(type=IdentityType.EMAIL, value="somebody@example.com"),
        SealedIdentity(type=IdentityType.CUSTOMER_ID, value="c-123456"),
    )
    subject = SealedSubject(task=ids.new("tsk"), identities=identities)
    sealed = seal(keys, subject)
    body = _dispatched(sealed)
    composer, event, now = Composer(source="bench", namespace=""), ids.new("evt"), datetime.now(UTC)

    def compose() -> object:
        return composer.compose(
            TASKS, body, key=body.request_id, keys=keys, event_id=event, subject=body.request_id, at=now
        )

    sent = composer.compose(
        TASKS, body, key=body.request_id, keys=keys, event_id=event, subject=body.request_id, at=now
    )
    source, key = FixedKeys([keys]), sent.key.encode()
    proof = prove(keys, topic=sent.topic, key=key, headers=sent.headers, body=sent.value)
    headers = [(name, value.encode()) for name, value in sent.headers.items()]
    record = cast(
        "Raw", SimpleNamespace(topic=sent.topic, partition=0, offset=0, key=key, value=sent.value, headers=headers)
    )
    decoder = Decoder({sent.topic: TASKS}, source)
    return {
        "seal": _cost(lambda: seal(keys, subject)),
        "open": _cost(lambda: unseal(keys, sealed)),
        "proof": _cost(lambda: prove(keys, topic=sent.topic, key=key, headers=sent.headers, body=sent.value)),
        "check": _cost(lambda: check(source, proof, topic=sent.topic, key=key, headers=sent.headers, body=sent.value)),
        "compose (with proof)": _cost(compose),
        "decode (with check)": _cost(lambda: decoder.decode(record)),
    }


def _dispatched(sealed: str) -> TaskDispatched:
    now = datetime.now(UTC)
    return TaskDispatched(
        livemode=True,
        task_id=ids.new("tsk"),
        request_id=ids.new("req"),
        processor="instant-a",
        client_id=ids.new("cli"),
        dispatch_no=1,
        action=Action.ERASE,
        right=Right.ERASURE,
        round=0,
        manifest_version=1,
        not_after=now,
        forget_after=now,
        due_at=now,
        sealed=sealed,
    )


def _cost(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=TIMES, repeat=ROUNDS)) / TIMES * 1_000_000
