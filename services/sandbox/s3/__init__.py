"""An S3 with versions, delete markers and object lock: moto's application behind a layer that keeps the ledger."""
