"""Tells people what becomes of their request: takes due notices, sends each once, reports what became of it."""
