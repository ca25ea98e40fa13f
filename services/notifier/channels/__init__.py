"""The ways in which a notice reaches somebody."""
