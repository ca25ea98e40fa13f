"""People who exist nowhere else, kept by the vendors; calls and records that carry them where they do not belong."""

import json
import secrets
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import boto3
import httpx

LETTERS = "bcdfghjkmnpqstvwxz"
DIGITS = "0123456789"
KINDS = ("e-mail address", "name", "customer id", "reference", "file", "hostile record")


def fresh_word(length: int = 12, of: str = LETTERS) -> str:
    """Return a word that stands nowhere by chance."""
    return "".join(secrets.choice(of) for _ in range(length))


@dataclass(frozen=True)
class Planted:
    """One person."""

    email: str = field(repr=False)
    customer_id: str = field(repr=False)
    phone: str = field(repr=False)
    first_name: str = field(repr=False)
    reference: str = field(repr=False)
    file: str = field(repr=False)

    def identities(self) -> list[tuple[str, str]]:
        """What a request names them by."""
        known = [("email", self.email), ("customer_id", self.customer_id), ("phone", self.phone)]
        return [(kind, value) for kind, value in known if value]


class Planting:
    """The words that every planted value of a kind has in common; whoever looks for these finds all people."""

    def __init__(self) -> None:
        self.words = {kind: fresh_word().capitalize() for kind in KINDS}
        self.words["phone number"] = f"+3197{fresh_word(8, DIGITS)}"
        self.words["corrected number"] = f"+3198{fresh_word(8, DIGITS)}"
        self._made = 0

    def person(self) -> Planted:
        """Invent somebody."""
        self._made += 1
        word, number = self.words, self._made
        return Planted(
            email=f"{word['e-mail address']}.{number}@Planted.example",
            customer_id=f"{word['customer id']}-{number}",
            phone=f"{word['phone number']}{number}",
            first_name=f"{word['name']} {number}",
            reference=f"{word['reference']}/{number} & more",
            file=f"{word['file']} {number}.txt",
        )


class Vendors:
    """The sandbox's vendors, as somebody who keeps data there uses them."""

    def __init__(self, *, sandbox: str, s3: str) -> None:
        token = {"authorization": "Bearer sandbox-hubspot-token"}
        self._hubspot = httpx.Client(base_url=f"{sandbox}/hubspot", headers=token, timeout=30, trust_env=False)
        key = {"authorization": "Bearer sk_test_sandbox"}
        self._stripe = httpx.Client(base_url=f"{sandbox}/stripe", headers=key, timeout=30, trust_env=False)
        self._s3 = boto3.client(
            "s3",
            endpoint_url=s3,
            region_name="eu-west-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox-secret",
        )

    def take(self, person: Planted) -> str:
        """Keep data on somebody at all three; return the id that the CRM knows them by."""
        properties = {
            "email": person.email.lower(),
            "firstname": person.first_name,
            "lastname": "Planted",
            "phone": person.phone,
            "customer_id": person.customer_id,
        }
        answer = self._hubspot.post("/crm/v3/objects/contacts", json={"properties": properties})
        answer.raise_for_status()
        customer = {"email": person.email.lower(), "name": person.first_name, "phone": person.phone}
        customer["metadata[customer_id]"] = person.customer_id
        self._stripe.post("/v1/customers", data=customer).raise_for_status()
        key = f"customers/{person.customer_id}/{person.file}"
        self._s3.put_object(Bucket="habeas-demo", Key=key, Body=person.email.encode())
        return str(answer.json()["id"])

    def left(self, person: Planted) -> int:
        """Return how much of somebody is still there."""
        contact = self._hubspot.get(f"/crm/v3/objects/contacts/{person.email.lower()}", params={"idProperty": "email"})
        listed = self._s3.list_object_versions(Bucket="habeas-demo", Prefix=f"customers/{person.customer_id}/")
        customers = self._stripe.get("/v1/customers", params={"email": person.email.lower()}).json()["data"]
        return (
            int(contact.is_success)
            + len(customers)
            + len(listed.get("Versions", []))
            + len(listed.get("DeleteMarkers", []))
        )

    def close(self) -> None:
        self._hubspot.close()
        self._stripe.close()
        self._s3.close()


def misuse(url: str, key: str, person: Planted) -> list[int]:
    """Call the API wrongly in many ways, with somebody's data wherever it can stand; return the answers' statuses."""
    statuses = []
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        for request in _wrong(person):
            headers = {"authorization": f"Bearer {key}", "idempotency-key": fresh_word(), **request.pop("headers", {})}
            answer = client.request(**request, headers=headers)
            batch = (
                answer.json()["results"] if answer.status_code == HTTPStatus.OK else [{"status": answer.status_code}]
            )
            statuses += [one["status"] for one in batch]
    host, _, port = url.removeprefix("http://").partition(":")
    for line in (f"GET /{person.email} HTTP/9.9", f"{person.email}", f"GET /{person.phone}\x00 HTTP/1.1\r\nHost: x"):
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(f"{line}\r\n\r\n".encode())
            raw.recv(4096)
    return statuses


def _wrong(person: Planted) -> Iterator[dict[str, Any]]:
    email, good = person.email, body_of(person)
    filing = {"method": "POST", "url": "/v1/requests"}
    yield {**filing, "content": json.dumps(good)[:-1], "headers": {"content-type": "application/json"}}
    yield {**filing, "content": json.dumps(good), "headers": {"content-type": f"text/{person.first_name}"}}
    yield {**filing, "content": f"\xff{email}".encode("latin-1"), "headers": {"content-type": "application/json"}}
    for changes in (
        {email: email},
        {"right": email},
        {"channel": email},
        {"case": email},
        {"received_at": email},
        {"reference": f"{person.reference}\x00"},
        {"metadata": {email: f"{email}\x1b"}},
        {"subject": {"identities": [{"type": "email", "value": f"{email}@"}]}},
        {"subject": {"identities": [{"type": "phone", "value": f"{person.phone} "}, {"type": email, "value": "x"}]}},
        {"subject": {"identities": [{"type": "customer_id", "value": person.customer_id * 100}]}},
        {"subject": {"identities": [{"type": "email", "value": email}], "country": email, "language": email}},
        {"identity_check": {"method": email}},
        {"rectification": {"corrections": [{"field": "contact.phone", "to": person.phone}]}},
        _correcting({"field": "contact.email", "to": f"{email}@"}),
        _correcting({"field": "contact.phone", "from": person.phone, "to": person.first_name}),
        _correcting({"field": "contact.phone", "from": person.phone, "to": person.phone}),
        _correcting({"field": email, "to": person.first_name}),
        _correcting({"field": "contact.email", "to": f"{email}\x00"}),
    ):
        yield {**filing, "json": {**good, **changes}}
    yield {**filing, "json": good, "headers": {"idempotency-key": f"{email} {email}"}}
    yield {**filing, "json": good, "headers": {"authorization": f"Bearer hab_live_{email}"}}
    yield {"method": "POST", "url": "/v1/requests/batch", "json": {"requests": [{**good, "right": email}, {email: 1}]}}
    yield {"method": "POST", "url": "/v1/processors", "json": {"id": email, "kind": email}}
    traced = {"traceparent": email, "tracestate": f"x={email}", "baggage": f"subject={email}", "x-request-id": email}
    for path in (
        f"/{email}",
        f"/v1/requests/{email}",
        f"/v1/requests/{email}/timeline",
        f"/v1/requests/{email}/package",
        f"/v1/requests?email={email}",
        f"/v1/requests?cursor={email}",
        f"/v1/tasks/{email}",
        f"/v1/dead-letters/{email}/1",
        f"/v1/processors/{email}",
        f"/healthz/{email}?{email}",
    ):
        yield {"method": "GET", "url": path, "headers": traced}
        yield {"method": f"X{person.first_name.split()[0].upper()}", "url": path}
    yield {"method": "POST", "url": f"/v1/requests/{email}/cancel"}
    yield {"method": "POST", "url": f"/v1/consumers/orchestrator/{email}/resume"}


def _correcting(correction: dict[str, str]) -> dict[str, Any]:
    return {"right": "rectification", "rectification": {"corrections": [correction]}}


def body_of(person: Planted, **more: Any) -> dict[str, Any]:
    """Return the body that files an erasure for somebody."""
    return {
        "right": "erasure",
        "subject": {
            "identities": [{"type": kind, "value": value} for kind, value in person.identities()],
            "contact": {"email": person.email},
        },
        "identity_check": {"method": "client_asserted"},
        "reference": person.reference,
        **more,
    }


Hostile = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


def hostile_records(word: str) -> list[Hostile]:
    """Return records (key, value, headers) that carry `word` wherever somebody may write, and prove nothing."""
    text = word.encode()
    genuine = [("ce_specversion", b"1.0"), ("ce_id", text), ("ce_type", text), ("ce_source", text)]
    return [
        (text, text, []),
        (text, text, [(word, text)]),
        (text, json.dumps({"task_id": word}).encode(), genuine),
        (text, None, genuine),
        (None, text, genuine),
        (text, text, [*genuine, ("habeas-proof", text)]),
        (text, text, [*genuine, ("habeas-proof", b"v1;kid=" + text.lower() + b"/1;mac=" + b"A" * 43)]),
        (text, text, [*genuine, ("traceparent", text), (word, None)]),
    ]
