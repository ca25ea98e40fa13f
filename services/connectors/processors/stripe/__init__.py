"""Stripe: customers, what they paid, their deletion, and the redaction of records that can not be deleted."""

from services.connectors.processors.stripe.processor import Stripe

__all__ = ["Stripe"]
