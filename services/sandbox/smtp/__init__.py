"""A mail sink: takes mail for anybody, keeps it, delivers nothing."""
