"""Use cases, one a file: load, decide, save, append to the outbox."""
