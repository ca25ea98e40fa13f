"""Vendor simulators and a mail sink: the demo, the tests and authors of processors run against them."""
