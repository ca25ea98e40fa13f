"""OpenAI: what its API keeps of a person, found by metadata and by the application's own list of ids."""

from services.connectors.processors.openai.processor import OpenAI

__all__ = ["OpenAI"]
