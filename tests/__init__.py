"""The tests, by what they need: nothing (unit), servers (integration), the whole stack (journeys, browser, chaos)."""
