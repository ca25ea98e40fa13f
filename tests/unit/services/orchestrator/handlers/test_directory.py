"""The directory: planning sees the processors of a request's mode, and no others."""

from contracts.processors import WireAction, WireManifest
from habeas.vocabulary import Action, IdentityType
from services.chassis.crypto.root import RootKey
from services.orchestrator.handlers.directory import Directory, Enrolled

ROOT = RootKey(bytes(range(32)))


def enrolled(name: str, *, livemode: bool, fields: tuple[str, ...] = ()) -> Enrolled:
    """Return an announced processor."""
    manifest = WireManifest(
        kind="crm",
        version=1,
        title="CRM",
        owner="tests",
        country="NL",
        accepts=(IdentityType.EMAIL,),
        actions={Action.RECTIFY: WireAction()},
        fields=fields,
    )
    return Enrolled(name, "crm", "enr", 1, 1, (1,), "announced", manifest, 1, livemode=livemode)


BOTH = Directory(
    {
        "crm": enrolled("crm", livemode=True, fields=("contact.email",)),
        "crm-try": enrolled("crm-try", livemode=False, fields=("contact.language",)),
    },
    ROOT,
)


def test_a_request_meets_the_processors_of_its_mode() -> None:
    for _ in range(2):
        assert [one.id for one in BOTH.candidates(livemode=True)] == ["crm"]
        assert [one.id for one in BOTH.candidates(livemode=False)] == ["crm-try"]


def test_what_can_be_corrected_is_what_those_of_its_mode_can_correct() -> None:
    assert BOTH.corrected_fields(livemode=True) == frozenset({"contact.email"})
    assert BOTH.corrected_fields(livemode=False) == frozenset({"contact.language"})
    assert Directory({"crm": enrolled("crm", livemode=True)}, ROOT).corrected_fields(livemode=False) is None
