"""Hosts processors: takes tasks from Kafka, carries them out through the engine, reports what came of them."""
