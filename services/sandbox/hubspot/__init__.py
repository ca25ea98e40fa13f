"""A stateful HubSpot: contacts and what hangs on them, with the vendor's shapes, limits and quirks."""
