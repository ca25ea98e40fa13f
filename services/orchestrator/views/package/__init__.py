"""The package of an access request: a ZIP of what every processor exported, made while it is sent."""
