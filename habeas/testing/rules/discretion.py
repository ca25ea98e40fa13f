"""Discretion: no personal data in logs, headers or anything that is printed, also when things go wrong."""

import logging
from collections.abc import Sequence

import pytest

from habeas.sdk import Action, Correction, Identity
from habeas.testing import faults
from habeas.testing.memory import MemoryLedger
from habeas.testing.rules.kit import Kit
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest

# References shorter than this turn up by chance.
SHORTEST_TELLING = 6


class DiscretionRules(Kit):
    """What must not be found where operators look."""

    def test_logs_hold_no_personal_data(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)

        async def story(vendor: VendorUnderTest) -> None:
            for action in vendor.manifest.actions:
                trial = await _trial(vendor, action)
                texts = await _texts(vendor, trial)
                verdict = await trial.finish()
                _silent_about(trial, f"{caplog.text} {verdict!r} {trial.ledger.items!r}", texts)

        self._tell(story)

    def test_trouble_puts_no_personal_data_into_logs(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)

        async def story(vendor: VendorUnderTest) -> None:
            async with vendor.open():
                pass
            for action in vendor.manifest.actions:
                for name, fault in (("http_503", faults.broken(503)), ("half_json", faults.half_an_answer())):
                    trial = await _trial(vendor, action)
                    for number in range(4):
                        await vendor.suffer(name, fault, at=number)
                        verdict = await trial.run()
                        _silent_about(trial, f"{caplog.text} {verdict!r}")
                    await vendor.recover()

        self._tell(story)

    def test_headers_hold_no_personal_data(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            for action in vendor.manifest.actions:
                trial = await _trial(vendor, action)
                await trial.finish()
                if not vendor.wired:
                    raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
                for request in vendor.seen:
                    told = " ".join(f"{name}: {value}" for name, value in request.headers.items())
                    assert not _leaks(trial, told), (
                        f"personal data in a header of {request.method}: headers are logged on the way. ctx.key() "
                        "makes an idempotency key that tells nothing"
                    )

        self._tell(story)


async def _trial(vendor: VendorUnderTest, action: Action) -> Trial:
    fields = vendor.manifest.fields if action is Action.RECTIFY else ()
    corrections = tuple(Correction(field, None, vendor.new_value(field)) for field in fields)
    return Trial(vendor, await vendor.person(), action=action, corrections=corrections, ledger=MemoryLedger())


async def _texts(vendor: VendorUnderTest, trial: Trial) -> Sequence[str]:
    """Return what the vendor knows of the person beside their identities, as far as it can be asked."""
    try:
        return await vendor.known_texts(trial.identities)
    except NotArranged:
        return ()


def _silent_about(trial: Trial, told: str, texts: Sequence[str] = ()) -> None:
    leaked = _leaks(trial, told, texts)
    assert not leaked, (
        f"personal data in logs or in a repr: {', '.join(leaked)}. Log ids of tasks and machine words; ctx.log adds "
        "the task by itself"
    )


def _leaks(trial: Trial, told: str, texts: Sequence[str] = ()) -> list[str]:
    """Return the kinds of personal data that `told` holds, and never the data."""
    found = {one.type.value for one in trial.identities if _long(one) and one.value in told}
    found |= {f"new {one.field}" for one in trial.corrections if one.new in told}
    references = (known.item.ref for known in trial.ledger.items.values())
    if any(len(reference) >= SHORTEST_TELLING and reference in told for reference in references):
        found.add("references of the vendor")
    if any(len(text) >= SHORTEST_TELLING and text in told for text in texts):
        found.add("what the vendor knows of the person")
    return sorted(found)


def _long(identity: Identity) -> bool:
    return len(identity.value) >= SHORTEST_TELLING
