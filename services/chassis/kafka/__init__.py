"""Kafka carries: composing, relaying and consuming messages so that none is lost and none is believed unproven."""
