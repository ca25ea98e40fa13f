"""Bodies that can be sent as they stand; the documentation shows them and a test sends them."""

from typing import Any

REQUEST: dict[str, Any] = {
    "right": "erasure",
    "subject": {
        "identities": [{"type": "email", "value": "jane@example.com"}, {"type": "customer_id", "value": "c-42"}],
        "contact": {"email": "jane@example.com"},
        "language": "nl",
        "country": "NL",
    },
    "requester": {"relation": "self"},
    "identity_check": {"method": "client_asserted"},
    "reference": "TICKET-42",
}
ACCESS: dict[str, Any] = {**REQUEST, "right": "access"}
RECTIFICATION: dict[str, Any] = {
    **REQUEST,
    "right": "rectification",
    "rectification": {
        "corrections": [{"field": "contact.email", "from": "jane@example.com", "to": "jane@example.org"}]
    },
}
BATCH: dict[str, Any] = {"requests": [REQUEST, ACCESS, RECTIFICATION]}
ENROL: dict[str, Any] = {"id": "crm-eu", "kind": "hubspot"}
KEY: dict[str, Any] = {"client": "ticket-system", "scopes": ["requests:file", "requests:read"]}
REVOKE: dict[str, Any] = {"below": 2}
REASON: dict[str, Any] = {"reason": "the contract with this supplier has ended"}
