"""S3 object storage: every version, delete marker and unfinished upload below a subject's prefix."""

from services.connectors.processors.s3.processor import S3

__all__ = ["S3"]
