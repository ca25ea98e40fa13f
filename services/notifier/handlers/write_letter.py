"""Opens a notice's seal and writes the letter that is inside it."""

from dataclasses import dataclass

from pydantic import ValidationError

from contracts.seal import SealedNotice
from habeas.vocabulary import NoticeKind
from services.chassis.crypto.keys import KeySource
from services.chassis.crypto.seal import BrokenSeal, kid_in, unseal
from services.notifier.domain.notices import Claim, Later
from services.notifier.domain.telling import plain, tell
from services.notifier.domain.words import WORDS, Words
from services.notifier.handlers.ports import Letter, Renderer, Unwritable


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, and whom one may complain to; `contact` may be empty."""

    controller: str
    contact: str
    authority: str
    authority_url: str


class WriteLetter:
    """Writes letters in the name of one controller."""

    def __init__(self, keys: KeySource, renderer: Renderer, sender: Sender) -> None:
        """Open seals with `keys`."""
        self._keys = keys
        self._renderer = renderer
        self._sender = sender

    def write(self, claim: Claim) -> Letter | Later | Unwritable:
        """Return the letter, or why there is none now (`Later`) or ever (`Unwritable`)."""
        opened = self._open(claim)
        if not isinstance(opened, SealedNotice):
            return opened
        words = WORDS[claim.language]
        text, html = self._renderer.render(claim.kind.value, claim.language, self._content(claim, opened, words))
        return Letter(claim.notice_id, opened.email, claim.language, _subject(claim, words), text, html)

    def _open(self, claim: Claim) -> SealedNotice | Later | Unwritable:
        try:
            keys = self._keys.get(kid_in(claim.sealed))
            if keys is None:
                return Later("unknown_kid")
            opened = SealedNotice.model_validate_json(unseal(keys, claim.sealed))
        except (BrokenSeal, ValidationError):
            return Unwritable("broken_seal")
        # A seal that was moved from another notice would tell one person of another.
        return opened if opened.notice == claim.notice_id else Unwritable("seal_of_another_notice")

    def _content(self, claim: Claim, opened: SealedNotice, words: Words) -> dict[str, object]:
        content: dict[str, object] = {
            "language": claim.language.value,
            "subject": _subject(claim, words),
            "livemode": claim.livemode,
            "request_id": claim.request_id,
            "reference": plain(opened.reference or ""),
            "right": words.rights[claim.right],
            "next": words.next[claim.right],
            "received_on": words.day(claim.received_on),
            "due_on": words.day(claim.due_on),
            "controller": self._sender.controller,
            "contact": self._sender.contact,
            "authority": self._sender.authority,
            "authority_url": self._sender.authority_url,
        }
        if claim.kind is NoticeKind.COMPLETION:
            content["telling"] = tell(claim.headline, claim.recipients, words)
        return content


def _subject(claim: Claim, words: Words) -> str:
    """Return the subject line: words of ours alone, nothing that anybody typed."""
    form = words.received if claim.kind is NoticeKind.ACKNOWLEDGEMENT else words.answered
    subject = form.format(subject=words.subjects[claim.right])
    return subject if claim.livemode else words.trial.format(subject=subject)
