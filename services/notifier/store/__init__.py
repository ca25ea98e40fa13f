"""The notifier's memory in PostgreSQL."""
