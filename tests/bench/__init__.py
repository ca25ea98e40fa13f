"""Benchmarks: ratios between Habeas and a bare script, measured in one warm run; never timed tests."""
