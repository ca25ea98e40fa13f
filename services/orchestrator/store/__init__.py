"""SQL of the orchestrator: named queries and migrations."""
