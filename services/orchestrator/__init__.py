"""Owns the request: accept, identify, plan, dispatch, track, settle; the HTTP API and the pages live here."""
