"""PostgreSQL remembers: pool, migrations, named queries, outbox and leases."""
