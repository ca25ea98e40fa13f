"""Carries one task through a processor: locate, store, re-read, hold, act, verify, retry; pure, over ports."""
