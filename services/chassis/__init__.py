"""What every service is bolted onto: settings, Kafka, PostgreSQL, crypto, telemetry, health; no word of the domain."""
