"""The words of each language: every term of the vocabulary as a person would say it."""

from collections.abc import Mapping

from habeas.vocabulary import Language
from services.notifier.domain.words.dutch import DUTCH
from services.notifier.domain.words.english import ENGLISH
from services.notifier.domain.words.shape import Counted, Words

WORDS: Mapping[Language, Words] = {Language.ENGLISH: ENGLISH, Language.DUTCH: DUTCH}

__all__ = ["WORDS", "Counted", "Words"]
