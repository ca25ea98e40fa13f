"""Implements the formats of `contracts`: seals, proofs, encryption at rest, and the keys behind them."""
