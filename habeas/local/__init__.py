"""The local stack: PostgreSQL, Kafka, the services and the sandbox as processes of one machine, without containers."""
