"""A seal that does not fit makes no letter."""

from contracts.seal import SealedNotice
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.seal import seal
from services.notifier.domain.notices import Later
from services.notifier.handlers.ports import Unwritable
from services.notifier.handlers.write_letter import WriteLetter
from tests.unit.services.notifier.letters import KEYS, NOTICE, SENDER, TEMPLATES, claim

WRITER = WriteLetter(FixedKeys([KEYS]), TEMPLATES, SENDER)


def test_a_seal_of_another_notice_is_refused() -> None:
    moved = seal(KEYS, SealedNotice(notice="ntc_01M7W4N5E0HEV9329RDEEQ8F71", email="eve@example.com"))
    assert WRITER.write(claim(sealed=moved)) == Unwritable("seal_of_another_notice")


def test_a_seal_for_keys_that_are_not_here_yet_waits() -> None:
    newer = ProcessorKeys.from_secret("notifier", 2, bytes(32))
    sealed = seal(newer, SealedNotice(notice=NOTICE, email="jane@example.com"))
    assert WRITER.write(claim(sealed=sealed)) == Later("unknown_kid")


def test_a_seal_that_was_changed_is_broken() -> None:
    whole = claim().sealed
    assert WRITER.write(claim(sealed=whole[:-4] + "AAAA")) == Unwritable("broken_seal")
    assert WRITER.write(claim(sealed="no seal at all")) == Unwritable("broken_seal")
    assert WRITER.write(claim(sealed=seal(KEYS, b"{}"))) == Unwritable("broken_seal")
