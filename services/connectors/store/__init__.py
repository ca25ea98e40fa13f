"""The host's tables and its SQL; `host` reads the queries by name."""
