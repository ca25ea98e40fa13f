"""HubSpot CRM: contacts, what hangs on them, and their permanent deletion."""

from services.connectors.processors.hubspot.processor import HubSpot

__all__ = ["HubSpot"]
