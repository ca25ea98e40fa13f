"""A stateful Stripe: customers and what they paid, with the vendor's shapes, limits, idempotency and redaction jobs."""
