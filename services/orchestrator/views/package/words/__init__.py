"""The words of the report that people read, one module for each language."""

from collections.abc import Mapping

from habeas.vocabulary import Language
from services.orchestrator.views.package.words.dutch import DUTCH
from services.orchestrator.views.package.words.english import ENGLISH
from services.orchestrator.views.package.words.shape import Words

LANGUAGES: Mapping[Language, Words] = {Language.ENGLISH: ENGLISH, Language.DUTCH: DUTCH}
