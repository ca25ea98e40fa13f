"""The object types HubSpot knows, their properties, and the numbers of the associations between them."""

from dataclasses import dataclass

ENGAGEMENTS = ("notes", "emails", "calls", "meetings", "tasks", "communications")


@dataclass(frozen=True)
class ObjectType:
    """One type: its plural `name`, `singular`, vendor `number`, writable `properties`, those returned by `default`."""

    name: str
    singular: str
    number: str
    properties: tuple[str, ...]
    default: tuple[str, ...]
    stamps: tuple[str, str] = ("hs_createdate", "hs_lastmodifieddate")

    @property
    def read_only(self) -> tuple[str, ...]:
        """Properties the vendor keeps by itself."""
        return ("hs_object_id", *self.stamps)

    @property
    def known(self) -> tuple[str, ...]:
        """Every property of the type."""
        return self.properties + self.read_only


_CONTACT_PROPERTIES = (
    "email", "hs_additional_emails", "firstname", "lastname", "phone", "mobilephone", "address", "city", "zip",
    "country", "company", "jobtitle", "hs_language", "lifecyclestage", "customer_id",
)  # fmt: skip
_ENGAGED = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
_DATED = ("createdate", "hs_lastmodifieddate")

TYPES = (
    ObjectType(
        "contacts", "contact", "0-1", _CONTACT_PROPERTIES,
        ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        ("createdate", "lastmodifieddate"),
    ),
    ObjectType("companies", "company", "0-2", ("name", "domain"), ("name", "domain", *_DATED), _DATED),
    ObjectType("deals", "deal", "0-3", ("dealname", "amount", "dealstage"), ("dealname", "amount", *_DATED), _DATED),
    ObjectType(
        "tickets", "ticket", "0-5", ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority"),
        ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_object_id", *_DATED), _DATED,
    ),
    ObjectType("notes", "note", "0-46", ("hs_note_body", "hs_timestamp", "hubspot_owner_id"), _ENGAGED),
    ObjectType("emails", "email", "0-49", ("hs_email_subject", "hs_email_text", "hs_timestamp"), _ENGAGED),
    ObjectType("calls", "call", "0-48", ("hs_call_title", "hs_call_body", "hs_timestamp"), _ENGAGED),
    ObjectType("meetings", "meeting", "0-47", ("hs_meeting_title", "hs_meeting_body", "hs_timestamp"), _ENGAGED),
    ObjectType("tasks", "task", "0-27", ("hs_task_subject", "hs_task_body", "hs_timestamp"), _ENGAGED),
    ObjectType(
        "communications", "communication", "0-18", ("hs_communication_body", "hs_timestamp"), _ENGAGED
    ),
)  # fmt: skip

CONTACTS = TYPES[0]
_BY_ALIAS = {alias: kind for kind in TYPES for alias in (kind.name, kind.singular, kind.number)}

# HubSpot's own numbers: (from contact, to contact).
_ASSOCIATION_IDS = {
    "companies": (279, 280), "deals": (4, 3), "tickets": (15, 16), "notes": (201, 202), "emails": (197, 198),
    "calls": (193, 194), "meetings": (199, 200), "tasks": (203, 204), "communications": (82, 81),
    "contacts": (449, 449),
}  # fmt: skip


def object_type(alias: str) -> ObjectType | None:
    """The type named by plural, singular or number (`contacts`, `contact`, `0-1`), in any case."""
    return _BY_ALIAS.get(alias.lower())


def association_number(from_type: str, to_type: str) -> int:
    """The vendor's number for an association one end of which is a contact."""
    if from_type == "contacts":
        return _ASSOCIATION_IDS[to_type][0]
    return _ASSOCIATION_IDS[from_type][1]
